"""The codes of errors: stable, each meaning one thing, and explained."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module

from contracts.registry import EventRefused, FieldCode
from shared.domain.decision import Reason
from shared.domain.run import RunStatus, Waiting
from shared.errors import AppError, LimitReached, NotNow, Occupied, Permanent, Retryable, Unneeded
from tests.architecture.repository import first_cells, page, quoted, section, syntax_trees

CODE = re.compile(r"^[a-z]+(_[a-z]+)*$")
# They say how an error is treated, and are never raised themselves.
KINDS = {Retryable, NotNow, Occupied, Permanent, LimitReached, Unneeded}
# What HTTP itself refuses, before any route is asked.
CODES_OF_HTTP = {"method_not_allowed", "http_error"}


def _subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for subclass in kind.__subclasses__():
        if subclass.__module__.split(".")[0] != "tests":
            yield subclass
            yield from _subclasses(subclass)


def _errors() -> list[type[Exception]]:
    for path in syntax_trees():
        if not path.endswith("__main__.py"):
            import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    return [error for error in _subclasses(AppError) if error not in KINDS]


def _codes() -> list[str]:
    return [vars(error)["code"] for error in _errors() if "code" in vars(error)]


def _run_error_codes() -> set[str]:
    """Return the codes that are written out where the error of a run is made, or the document that it is stored as."""
    nodes = [node for tree in syntax_trees().values() for node in ast.walk(tree)]
    calls = (node for node in nodes if isinstance(node, ast.Call))
    made = (
        call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "RunError" and call.args
    )
    documents = (
        dict(zip(map(_text, node.keys), node.values, strict=True)) for node in nodes if isinstance(node, ast.Dict)
    )
    stored = (document["code"] for document in documents if document.keys() == {"code", "detail"})
    return {text for node in (*made, *stored) if (text := _text(node)) is not None}


def _text(node: ast.expr | None) -> str | None:
    return str(node.value) if isinstance(node, ast.Constant) else None


def test_every_error_has_a_code_of_its_own() -> None:
    assert [error.__name__ for error in _errors() if "code" not in vars(error)] == []


def test_no_two_errors_share_a_code() -> None:
    shared = [code for code, count in Counter([*_codes(), AppError.code]).items() if count > 1]

    assert shared == []


def test_codes_are_in_snake_case() -> None:
    refusals = [vars(error)["code"] for error in _subclasses(EventRefused) if "code" in vars(error)]

    assert [code for code in [*_codes(), *refusals, *_run_error_codes()] if not CODE.match(code)] == []


def test_every_code_is_explained() -> None:
    explained = set(first_cells(page("docs/troubleshooting.md"))) | quoted(
        section(page("docs/troubleshooting.md"), "## Dead letters")
    )

    assert {*_codes(), *_run_error_codes(), AppError.code} - explained == set()


def test_no_code_is_explained_that_nothing_uses() -> None:
    runs = set(first_cells(section(page("docs/troubleshooting.md"), "## Why a run failed, waits or was cancelled")))
    http = set(first_cells(section(page("docs/troubleshooting.md"), "## Errors over HTTP")))
    used = {*_codes(), *_run_error_codes(), AppError.code, *CODES_OF_HTTP, "events_refused"}

    assert (runs | http) - used == set()


def test_every_way_to_refuse_an_event_is_explained() -> None:
    explained = set(first_cells(section(page("docs/events.md"), "### Refused events")))
    refusals = {vars(error)["code"] for error in _subclasses(EventRefused) if "code" in vars(error)}

    assert explained == {*refusals, "event_id_reused", *FieldCode}


def test_every_reason_and_status_is_explained() -> None:
    assert set(Reason) <= quoted(page("docs/events.md"))
    assert set(first_cells(section(page("docs/architecture.md"), "## Statuses"))) == {*RunStatus, *Waiting}
