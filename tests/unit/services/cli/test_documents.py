"""`towpath documents`: what the commands ask, and what they print."""

from typing import Any

import pytest

from tests.unit.services.cli.test_commands import Desk, desk

__all__ = ["desk"]

DOCUMENT: dict[str, Any] = {
    "id": "doc_1",
    "kind": "doc",
    "document_id": "d1",
    "project": "apollo",
    "title": "Guide",
    "revision": 3,
    "chunks": 2,
    "indexed_at": "2026-11-20T09:00:00Z",
    "run_id": None,
}
PART: dict[str, Any] = {"start": 0, "end": 9, "text": "The text.", "is_embedded": False}


def test_documents_are_listed_with_the_way_to_the_next_page(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"documents": [DOCUMENT], "next_cursor": "abc"})

    assert desk.towpath("documents", "list", "--project", "apollo", "--kind", "doc", "-n", "1") == 0

    assert dict(desk.asked[0].url.params) == {"project": "apollo", "kind": "doc", "limit": "1"}
    _, row, _, more = capsys.readouterr().out.splitlines()
    assert row.split() == ["doc_1", "doc", "d1", "3", "2", "2026-11-20", "09:00:00", "Guide"]
    assert more == "There are more: add --cursor abc"


def test_one_is_shown_with_its_chunks(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    mentioned = {"kind": "ticket", "value": "APO-1", "start": 4}
    desk.tell({**DOCUMENT, "mentions": [mentioned], "parts": [PART]})

    assert desk.towpath("documents", "show", "doc_1") == 0

    printed = capsys.readouterr().out
    assert "APO-1" in printed
    assert "characters 0 to 9, by words only" in printed
    assert "The text." in printed


def test_what_is_found_is_printed_under_its_title(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"hits": [{**DOCUMENT, **PART, "score": 0.1}]}, {"hits": []})

    assert desk.towpath("documents", "search", "some text", "--project", "apollo") == 0
    assert desk.towpath("documents", "search", "else", "--project", "apollo") == 0

    assert dict(desk.asked[0].url.params) == {"project": "apollo", "q": "some text", "limit": "10"}
    printed = capsys.readouterr().out
    assert "Guide, doc d1" in printed
    assert "The text." in printed
    assert printed.endswith("There are none.\n")
