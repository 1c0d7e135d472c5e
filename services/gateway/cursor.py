"""Opaque cursors: where the next page of a list that is sorted by time and id begins."""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Any

from services.gateway.problems import RequestInvalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def encode(at: datetime, id: str) -> str:
    """Return the cursor of what comes after this document."""
    return base64.urlsafe_b64encode(f"{(at - _EPOCH) // _MILLISECOND}:{id}".encode()).decode().rstrip("=")


def after(cursor: str | None, field: str) -> dict[str, Any]:
    """Return the query for what comes after the cursor in a list sorted by `field` and id, both descending."""
    if cursor is None:
        return {}
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        milliseconds, _, id_ = text.partition(":")
        at = _EPOCH + int(milliseconds) * _MILLISECOND
    except (binascii.Error, ValueError, OverflowError) as error:
        raise RequestInvalid(
            f"'{cursor[:64]}' is not a cursor of this list; use 'next_cursor' as it was given."
        ) from error
    return {"$or": [{field: {"$lt": at}}, {field: at, "_id": {"$lt": id_}}]}
