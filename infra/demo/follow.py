"""Follows the events until nothing more will become of them, or nothing moves any more."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from infra.demo.progress import Progress
from infra.demo.watch import Watch

TICK_SECONDS = 0.1
ASK_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait while nothing moves, and for what is due to fire; with 0 no fire is waited for."""

    stillness_seconds: float
    fires_seconds: float = 0.0


async def follow(watch: Watch, played: asyncio.Event, on_look: Callable[[], None], patience: Patience) -> None:
    """Look again and again, and tell `on_look`; `played` says that everything was sent.

    Returns when all is settled, or when patience ends; the progress knows then what is missing.
    """
    stillness = Stillness(watch.progress)
    asked_at = played_at = monotonic()
    while True:
        await watch.look()
        now = monotonic()
        if now - asked_at >= ASK_EVERY_SECONDS:
            await watch.ask()
            asked_at = now
        on_look()
        if not played.is_set():
            played_at = now
        elif _takes_no_more_fires(watch, now - played_at, patience) and (
            watch.progress.all_settled() or stillness.seconds(now) > patience.stillness_seconds
        ):
            break
        await asyncio.sleep(TICK_SECONDS)
    watch.progress.troubles += _what_did_not_come(watch, patience)


class Stillness:
    """How long nothing has moved."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._position: object = None
        self._since = 0.0

    def seconds(self, now: float) -> float:
        """Return the seconds since a change was seen first."""
        position = (len(self._progress.entries), self._progress.outcomes(), self._progress.statuses())
        if position != self._position:
            self._position, self._since = position, now
        return now - self._since


def _takes_no_more_fires(watch: Watch, seconds: float, patience: Patience) -> bool:
    # Schedules fire for ever: from here on, what fires is no part of the demo.
    watch.takes_fires = watch.takes_fires and seconds < patience.fires_seconds and bool(watch.not_fired())
    return not watch.takes_fires


def _what_did_not_come(watch: Watch, patience: Patience) -> list[str]:
    late = watch.not_fired() if patience.fires_seconds else []
    fires = [f"{due.agent_key} did not fire for {due.user or 'all'} in {due.project}" for due in late]
    return [*watch.troubles.values(), *fires]
