"""Simulated time: how long a day takes, and what that makes of everything that is kept for a time. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.settings import StreamSettings

DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Calendar:
    """`days` of `day_seconds` real seconds each, with a history of `history_days` of them."""

    days: int
    day_seconds: float
    history_days: float

    def real_seconds(self, simulated_seconds: float) -> float:
        """Return how long a simulated time takes."""
        return simulated_seconds * self.day_seconds / DAY_SECONDS

    def environment(self) -> Mapping[str, str]:
        """Return the settings that make what is kept for a time be kept for that simulated time."""
        history = _whole(self.history_days * self.day_seconds)
        status = StreamSettings.model_fields["ai_queue_status_retention_seconds"].default
        return {
            "HISTORY_RETENTION_SECONDS": history,
            "EVENT_RETENTION_SECONDS": history,
            "AI_QUEUE_STATUS_RETENTION_SECONDS": _whole(self.real_seconds(status)),
        }


def _whole(seconds: float) -> str:
    return str(max(1, round(seconds)))
