"""What a scenario measured, as data, and the statistics behind it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Headline(StrEnum):
    """The figures that are compared with other systems."""

    RUNS_PER_SECOND = "runs_per_second"
    START_MS = "start_ms"
    DONE_MS = "done_ms"
    TIMES_IDEAL = "times_ideal"
    RESTART_SECONDS = "restart_seconds"
    ACTIVE_MS = "active_ms"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; `note` says under what condition."""

    name: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """What one scenario measured; `remark` says what a reader must know to read it.

    `other_cores` is how many cores other programs used meanwhile.
    """

    title: str
    figures: Sequence[Figure]
    remark: str = ""
    headlines: Mapping[Headline, float] = field(default_factory=dict)
    other_cores: float = 0.0


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the percentile, interpolated between the two nearest ranks; raises ValueError without values."""
    if not values:
        raise ValueError("there is no percentile of nothing")
    ordered = sorted(values)
    position = (len(ordered) - 1) * percent / 100
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def rate(count: int, seconds: float) -> float:
    """Return how many came in a second; 0 when no time passed."""
    return count / seconds if seconds > 0 else 0.0


def times_ideal(seconds: float, count: int, each_seconds: float, slots: int) -> float:
    """Return how often the time fits the shortest possible one: every slot busy from the first moment to the last."""
    rounds = -(-count // slots)
    return seconds / (rounds * each_seconds)


def milliseconds(starts: Sequence[float], ends: Sequence[float]) -> list[float]:
    """Return the time between each start and end, given in seconds."""
    return [(end - start) * 1_000 for start, end in zip(starts, ends, strict=True)]
