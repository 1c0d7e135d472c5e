"""Log lines below a level are left out for what happens inside a `with`, as the Agent of a run wants it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from structlog.typing import EventDict, WrappedLogger

from contracts.operation import LoggingLevel

_NUMBERS = logging.getLevelNamesMapping()
_LEAST: ContextVar[int] = ContextVar("least_level", default=logging.NOTSET)


@contextmanager
def logged_from(level: LoggingLevel) -> Iterator[None]:
    """Leave out the lines below this level in this task, and in those that it starts."""
    before = _LEAST.set(_NUMBERS[level.upper()])
    try:
        yield
    finally:
        _LEAST.reset(before)


def drop_below_least(_: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """Pass a line on, or drop it: a processor of structlog."""
    if _NUMBERS.get(method.upper(), logging.ERROR) < _LEAST.get():
        raise structlog.DropEvent
    return line
