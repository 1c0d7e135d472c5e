"""What is measured at the end of each day, and whether it stays within bounds. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What is counted; the value is the unit in which it is shown."""

    DOCUMENTS = "documents"
    DATA = "MiB of documents"
    DISK = "MiB on disk, with indexes"
    MESSAGES = "messages"
    STREAM = "MiB in the stream"
    MEMORY = "MiB resident"


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """One thing that could grow, such as the documents of `runs`."""

    kind: Kind
    name: str


Day = Mapping[Quantity, float]
"""What was measured at the end of a day."""

ALLOWANCE: Final[Mapping[Kind, float]] = {
    Kind.DOCUMENTS: 50,
    Kind.DATA: 0.5,
    Kind.DISK: 8,
    Kind.MESSAGES: 50,
    Kind.STREAM: 0.5,
    Kind.MEMORY: 24,
}
"""What a quantity may differ by in any case: less than this is chance, or a cache that fills."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The most that was seen in the first half of the days, and in the second."""

    quantity: Quantity
    first: float
    second: float
    is_bounded: bool


def judge(days: Sequence[Day], tolerance: float) -> list[Verdict]:
    """Compare the halves: what was full at the end of the first must not be fuller, by the tolerance, in the second."""
    half = len(days) // 2
    quantities = sorted({quantity for day in days for quantity in day})
    return [_verdict(quantity, days[:half], days[half:], tolerance) for quantity in quantities]


def _verdict(quantity: Quantity, before: Sequence[Day], after: Sequence[Day], tolerance: float) -> Verdict:
    first, second = _most(before, quantity), _most(after, quantity)
    return Verdict(quantity, first, second, second <= first * (1 + tolerance) + ALLOWANCE[quantity.kind])


def _most(days: Sequence[Day], quantity: Quantity) -> float:
    return max((day.get(quantity, 0.0) for day in days), default=0.0)
