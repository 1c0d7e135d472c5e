"""Opaque cursors: where the next page of a list that is sorted by time and id begins."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.gateway.problems import RequestInvalid

Document = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def encode(at: datetime, id: str) -> str:
    """Return the cursor of what comes after this document."""
    return base64.urlsafe_b64encode(f"{(at - _EPOCH) // _MILLISECOND}:{id}".encode()).decode().rstrip("=")


def page(found: Sequence[Document], limit: int, field: str) -> tuple[Sequence[Document], str | None]:
    """Return the first `limit` of what was found, and where the next page begins; None when nothing is left.

    It was looked for one more than the limit, in the order of `field` and id, both descending.
    """
    shown = found[:limit]
    return shown, encode(shown[-1][field], shown[-1]["_id"]) if len(found) > limit else None


def after(cursor: str | None, field: str) -> Document:
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
    # What an index of the field can be searched by stands by itself.
    return {field: {"$lte": at}, "$or": [{field: {"$lt": at}}, {"_id": {"$lt": id_}}]}
