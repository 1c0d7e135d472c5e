"""What the product logs, as it is written in its code."""

import ast
from collections.abc import Iterator

from tests.architecture.repository import syntax_trees

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def log_calls() -> Iterator[tuple[str, ast.expr]]:
    """Yield what each call of a logger in a module with structlog gives as the event, with its place."""
    for path, tree in syntax_trees().items():
        if not any(isinstance(node, ast.Import) and node.names[0].name == "structlog" for node in tree.body):
            continue
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and (event := _event(call)) is not None:
                yield f"{path}:{call.lineno}", event


def _event(call: ast.Call) -> ast.expr | None:
    match call:
        case ast.Call(func=ast.Attribute(attr="log"), args=[_, event, *_]):
            return event
        case ast.Call(func=ast.Attribute(attr="log"), args=[_]):
            return next((keyword.value for keyword in call.keywords if keyword.arg == "event"), None)
        case ast.Call(func=ast.Attribute(attr=level), args=[event, *_]) if level in LEVELS:
            return event
        case _:
            return None


def log_events() -> set[str]:
    """Return every event that the product logs."""
    return {event.value for _, event in log_calls() if isinstance(event, ast.Constant) and isinstance(event.value, str)}
