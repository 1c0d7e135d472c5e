"""Fields of requests that take only what the database and JSON can hold."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, Field

_MOST_SKIPPED = 1_000_000


def _in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC; without a zone it is that already."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("in UTC it is before the year 1 or after the year 9999") from error


def in_unicode(document: dict[str, Any]) -> dict[str, Any]:
    """Refuse half a surrogate pair, which JSON can escape and UTF-8 cannot hold."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("a text in it is no Unicode") from error
    return document


# With a bound, pydantic looks at the text and refuses what is no Unicode.
Text = Annotated[str, Field(max_length=1_000)]
Moment = Annotated[datetime, AfterValidator(_in_utc)]
ZonedMoment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Object = Annotated[dict[str, Any], AfterValidator(in_unicode)]
Skip = Annotated[int, Query(ge=0, le=_MOST_SKIPPED, description="How many to leave out first.")]
