"""Whether MongoDB has answered without a gap: only then does an old lease, or silence, say something of a runner."""

from collections.abc import Callable
from time import monotonic

LONGEST_GAP_SECONDS = 1.0
STEADY_AFTER_SECONDS = 3.0
"""After a gap: time for living runners to extend the leases that ran out meanwhile."""


class Steadiness:
    """Told of every answer to a question that is asked several times a second."""

    def __init__(self, now_seconds: Callable[[], float] = monotonic) -> None:
        self._now = now_seconds
        self._since = self._last = now_seconds()

    def answered(self) -> None:
        """Note that MongoDB has answered just now."""
        now = self._now()
        if now - self._last > LONGEST_GAP_SECONDS:
            self._since = now
        self._last = now

    @property
    def is_steady(self) -> bool:
        """Whether it has answered all the time for `STEADY_AFTER_SECONDS`, and still does."""
        now = self._now()
        return now - self._last <= LONGEST_GAP_SECONDS and now - self._since >= STEADY_AFTER_SECONDS
