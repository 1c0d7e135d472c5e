"""Cursors: opaque, exact, and refused in words when they are somebody's invention."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway import cursor as cursors
from services.gateway.problems import RequestInvalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 4_000_000_000_000).map(lambda milliseconds: EPOCH + timedelta(milliseconds=milliseconds))


@given(at=MOMENTS, id=st.text(st.characters(codec="utf-8")))
def test_a_cursor_leads_back_to_exactly_its_document(at: datetime, id: str) -> None:
    query = cursors.after(cursors.encode(at, id), "changed_at")

    assert query == {"changed_at": {"$lte": at}, "$or": [{"changed_at": {"$lt": at}}, {"_id": {"$lt": id}}]}


@given(at=MOMENTS, id=st.text(st.characters(codec="utf-8")))
def test_a_cursor_needs_no_escaping_in_an_address(at: datetime, id: str) -> None:
    assert all(each.isascii() and (each.isalnum() or each in "-_") for each in cursors.encode(at, id))


def test_without_a_cursor_the_list_begins_at_its_beginning() -> None:
    assert cursors.after(None, "changed_at") == {}


@pytest.mark.parametrize("cursor", ["", "!", "abc", "AAAA", "bm90IGE6Y3Vyc29y", "é", "x" * 10_000])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(RequestInvalid, match="is not a cursor of this list"):
        cursors.after(cursor, "changed_at")


@given(cursor=st.text(st.characters(codec="utf-8")))
def test_no_text_is_more_than_a_query_or_a_refusal(cursor: str) -> None:
    try:
        query = cursors.after(cursor, "changed_at")
    except RequestInvalid:
        return
    assert query.keys() == {"changed_at", "$or"}
