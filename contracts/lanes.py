"""The lanes in which runs wait for a runner."""

from enum import StrEnum


class Lane(StrEnum):
    """One class of urgency; each has its own consumer, so that a full lane never delays a more urgent one."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


ORDER: tuple[Lane, ...] = (Lane.CRITICAL, Lane.HIGH, Lane.MEDIUM, Lane.LOW)
"""The lanes from the most to the least urgent."""
