"""The kinds of field that several events share, with their limits."""

from datetime import date
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]
"""A short name, such as a status or a kind."""

Title = Annotated[str, StringConstraints(max_length=500)]
"""One line for a person."""

Answer = Annotated[str, StringConstraints(max_length=20_000)]
"""What a person writes into one box of a form."""

Text = Annotated[str, StringConstraints(max_length=100_000)]
"""A document, a message or an output."""

Count = Annotated[int, Field(strict=True, ge=0, le=2**53 - 1)]
"""How many; no larger than a JSON reader in any language keeps exact."""

Number = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
"""Which one in a row that begins with 1: a revision, a version."""

Day = date
"""A calendar day, such as `2026-11-20`."""

Moment = AwareDatetime
"""A point in time with its offset from UTC."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"'{name}' is not an IANA time zone, such as 'Europe/Berlin' or 'UTC'") from None
    return name


TimeZone = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_known_zone)]
"""The name of a time zone in the IANA database."""

OF_MEMBER: Final = "member"
"""Stands for the zone of whichever member a schedule fires for."""


def _known_clock(name: str) -> str:
    return name if name == OF_MEMBER else _known_zone(name)


Clock = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_known_clock)]
"""The name of a time zone, or `member` for that of each member."""
