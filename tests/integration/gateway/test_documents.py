"""GET /api/documents and /api/search: what members of a project see of its documents, and nobody else."""

from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.document import Chunk, Document, Mention
from shared.store.documents import DocumentStore, Place
from shared.store.members import Member, MembershipChange, MemberStore
from shared.store.mongo import Mongo
from tests.integration.gateway.asking import Asking

PLACE = Place("acme", "apollo")
ADMIN = "organisation_admin"
TEXTS = ("The export of invoices is late.", "Kitchen plants need water.")


@pytest.fixture(autouse=True)
async def _indexed(mongo: Mongo) -> None:
    store = DocumentStore(mongo, "words/2", utc_now)
    chunks = (Chunk(0, 31, TEXTS[0], b"\x01\x02"), Chunk(32, 58, TEXTS[1], None))
    await store.put(PLACE, [Document("doc", "d1", "Guide", 3, chunks, (Mention("ticket", "APO-1", 4),), "run_1")])
    await store.put(PLACE, [Document("ticket", "t1", "Export", 1, (Chunk(0, 31, TEXTS[0], None),))])
    await store.put(Place("acme", "zeus"), [Document("doc", "d1", "Other", 1, (Chunk(0, 31, TEXTS[0], None),))])
    await store.put(Place("harbour", "apollo"), [Document("doc", "d1", "Theirs", 1, (Chunk(0, 31, TEXTS[0], None),))])


async def got(asking: Asking, path: str, *roles: str, organisation: str = "acme", **params: str) -> dict[str, Any]:
    answer = await asking.ask("GET", path, *roles, organisation=organisation, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_documents_of_the_project_are_listed_page_by_page_the_last_first(asking: Asking) -> None:
    first = await got(asking, "/api/documents", ADMIN, project="apollo", limit="1")
    rest = await got(asking, "/api/documents", ADMIN, project="apollo", limit="1", cursor=first["next_cursor"])

    assert [each["document_id"] for each in [*first["documents"], *rest["documents"]]] == ["t1", "d1"]
    assert rest["next_cursor"] is None
    assert rest["documents"][0]["chunks"] == 2
    assert rest["documents"][0]["run_id"] == "run_1"


async def test_one_is_shown_with_its_chunks_and_what_it_mentions(asking: Asking) -> None:
    document = await got(asking, f"/api/documents/{PLACE.key('doc', 'd1')}", ADMIN)

    assert (document["title"], document["revision"]) == ("Guide", 3)
    assert [(part["start"], part["end"], part["is_embedded"]) for part in document["parts"]] == [
        (0, 31, True),
        (32, 58, False),
    ]
    assert document["mentions"] == [{"kind": "ticket", "value": "APO-1", "start": 4}]


async def test_search_finds_words_in_this_project_only_and_by_kind(asking: Asking) -> None:
    everything = await got(asking, "/api/search", ADMIN, project="apollo", q="invoice exports")
    tickets = await got(asking, "/api/search", ADMIN, project="apollo", q='-"invoice" exports', kind="ticket")
    nothing = await got(asking, "/api/search", ADMIN, project="apollo", q="-- !")

    assert sorted(hit["title"] for hit in everything["hits"]) == ["Export", "Guide"]
    assert [hit["title"] for hit in tickets["hits"]] == ["Export"]
    assert nothing["hits"] == []
    assert everything["hits"][0]["id"] in {PLACE.key("doc", "d1"), PLACE.key("ticket", "t1")}


async def test_who_is_no_member_sees_nothing(asking: Asking, mongo: Mongo) -> None:
    key = PLACE.key("doc", "d1")

    async def statuses() -> list[int]:
        asked = [
            ("/api/documents", {"project": "apollo"}),
            ("/api/search", {"project": "apollo", "q": "export"}),
            (f"/api/documents/{key}", {}),
        ]
        return [(await asking.ask("GET", path, params=params)).status_code for path, params in asked]

    assert await statuses() == [403, 403, 404]
    olga = Member("acme", "apollo", "olga")
    await MemberStore(mongo.database).apply([MembershipChange(olga, is_member=True, at=utc_now())])
    assert await statuses() == [200, 200, 200]


async def test_another_organisation_sees_its_own_only(asking: Asking) -> None:
    listed = await got(asking, "/api/documents", ADMIN, organisation="harbour", project="apollo")
    found = await got(asking, "/api/search", ADMIN, organisation="harbour", project="apollo", q="export")
    answer = await asking.ask("GET", f"/api/documents/{PLACE.key('doc', 'd1')}", ADMIN, organisation="harbour")

    assert [each["title"] for each in listed["documents"]] == ["Theirs"]
    assert [hit["title"] for hit in found["hits"]] == ["Theirs"]
    assert answer.status_code == 404
