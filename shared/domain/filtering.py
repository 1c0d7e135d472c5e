"""Whether an event passes the filter of a trigger. Pure, and bounded: a costly expression fails instead."""

from collections.abc import Iterator
from typing import Any

from contracts.envelope import Event
from contracts.filters import VISIBLE, compiled, loops

COST_LIMIT = 4_000_000
"""Characters that an expression may look at: those of the event, once for each turn of its loops."""


class FilterFailed(Exception):
    """The expression says neither true nor false of this event; the message says why."""


def passes(expression: str, event: Event) -> bool:
    """Return what the expression says of the event, or raise FilterFailed.

    What the event does not have is absent, not null: an expression asks for it with `has(data.name)`.
    """
    attributes = event.model_dump(mode="json", exclude_none=True)
    data = attributes.pop("data", None)
    _check_cost(expression, [attributes, data])
    try:
        said = compiled(expression).execute(dict(zip(VISIBLE, (attributes, data), strict=True)))
    except KeyError as error:
        raise FilterFailed(f"the event has no {error.args[0]}; ask with has() first") from error
    except (RuntimeError, TypeError, ValueError, ArithmeticError, IndexError) as error:
        raise FilterFailed(str(error)[:300].rstrip(".")) from error
    if not isinstance(said, bool):
        raise FilterFailed(f"it gives {type(said).__name__}, not true or false")
    return said


def _check_cost(expression: str, value: Any) -> None:
    turns = loops(expression)
    if not turns:
        return
    size, longest = 0, 1
    for each in _values(value):
        size += len(each) if isinstance(each, str) else 8
        longest = max(longest, len(each)) if isinstance(each, list | dict) else longest
    if size * longest**turns > COST_LIMIT:
        raise FilterFailed(f"the event is too large for {turns} loops over lists of {longest}")


def _values(value: Any) -> Iterator[Any]:
    """Yield the value and everything in it; the names in an object count as values."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        yield each
        match each:
            case dict():
                waiting += [*each.keys(), *each.values()]
            case list():
                waiting += each
