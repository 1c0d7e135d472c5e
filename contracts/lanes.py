"""The lanes in which runs wait for a runner, and the queues they are dispatched to."""

from enum import StrEnum


class Lane(StrEnum):
    """One class of urgency; each has its own consumers, so that a full lane never delays a more urgent one."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


ORDER: tuple[Lane, ...] = (Lane.CRITICAL, Lane.HIGH, Lane.MEDIUM, Lane.LOW)
"""The lanes from the most to the least urgent."""


class Queue(StrEnum):
    """Where a run is dispatched: its lane, or the express queue in front of it for an organisation's first few runs."""

    EXPRESS_CRITICAL = "express-critical"
    EXPRESS_HIGH = "express-high"
    EXPRESS_MEDIUM = "express-medium"
    EXPRESS_LOW = "express-low"
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @classmethod
    def of(cls, lane: Lane, *, is_express: bool) -> "Queue":
        """Return the queue of a run in this lane."""
        return cls(f"express-{lane}" if is_express else lane.value)

    @property
    def is_express(self) -> bool:
        return self.value.startswith("express-")


QUEUES: tuple[Queue, ...] = tuple(Queue)
"""The queues in the order in which runners serve them."""
