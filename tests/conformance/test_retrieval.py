"""What every `Retrieval` does: the one of the runner, and the one of the tests; and what it expects of an `Embedder`."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.llm.port import Embedder
from shared.retrieval.local import LocalVectors
from shared.retrieval.port import Chunk, Document, Filters, Retrieval
from shared.retrieval.stored import StoredRetrieval, VectorSearch
from shared.retrieval.vectors import encoded
from shared.settings import ServiceSettings
from shared.store.document_search import DocumentSearch
from shared.store.documents import CHUNK_INDEXES, DocumentStore
from shared.store.mongo import Mongo
from shared.testing.embedder import WordEmbedder
from shared.testing.retrieval import MemoryRetrieval
from tests.support.servers import RunningServer

ACME, APOLLO, ZEUS = "acme", "apollo", "zeus"
EXPORT = "The export of invoices is done by Friday."
KITCHEN = "Kitchen plants need water twice each week."
HOLIDAYS = "Holidays are planned in spring."


class Time:
    """A clock that a test moves."""

    now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def embedder() -> Embedder:
    return WordEmbedder()


@pytest.fixture(params=["memory", "MongoDB"])
async def retrieval(
    request: pytest.FixtureRequest, time: Time, embedder: Embedder, mongo_server: RunningServer, mongo_database: str
) -> AsyncIterator[Retrieval]:
    if request.param == "memory":
        yield MemoryRetrieval(time)
        return
    mongo = Mongo(ServiceSettings(mongodb_url=mongo_server.url, mongodb_database=mongo_database))
    await mongo.database["chunks"].create_indexes(CHUNK_INDEXES)
    search = DocumentSearch(mongo.database)
    vectors: VectorSearch = LocalVectors(search, embedder.space, 1_000_000, time)
    yield StoredRetrieval(DocumentStore(mongo, embedder.space, time), search, vectors)
    mongo.close()


async def _vector(embedder: Embedder, text: str) -> bytes:
    return encoded((await embedder.embed([text], 1.0)).vectors[0])


async def _document(embedder: Embedder, id_: str, *texts: str, revision: int = 1, kind: str = "doc") -> Document:
    chunks = tuple([Chunk(0, len(text), text, await _vector(embedder, text)) for text in texts])
    return Document(kind, id_, f"About {id_}", revision, chunks)


async def test_chunk_is_found_by_its_words_and_by_its_meaning(retrieval: Retrieval, embedder: Embedder) -> None:
    await retrieval.index(ACME, APOLLO, [await _document(embedder, "d1", KITCHEN, EXPORT)])

    by_words = await retrieval.search(ACME, APOLLO, 1, text="invoices")
    by_meaning = await retrieval.search(ACME, APOLLO, 1, vector=await _vector(embedder, "invoices export done"))
    by_both = await retrieval.search(ACME, APOLLO, 1, text="plants", vector=await _vector(embedder, KITCHEN))

    assert [(hit.document_id, hit.chunk, hit.text) for hit in [*by_words, *by_meaning]] == [("d1", 1, EXPORT)] * 2
    assert [hit.text for hit in by_both] == [KITCHEN]
    assert by_words[0].reference.title == "About d1"
    assert (by_words[0].reference.start, by_words[0].reference.end) == (0, len(EXPORT))


async def test_nothing_is_found_from_another_place(retrieval: Retrieval, embedder: Embedder) -> None:
    await retrieval.index(ACME, APOLLO, [await _document(embedder, "d1", EXPORT)])
    vector = await _vector(embedder, EXPORT)

    for organisation, project in ((ACME, ZEUS), ("globex", APOLLO)):
        assert await retrieval.search(organisation, project, 9, text="export", vector=vector) == []
        assert await retrieval.known(organisation, project, [EXPORT]) == {}
        assert await retrieval.neighbours(organisation, project, "doc", ["d1"], 9) == {}


async def test_later_revision_replaces_and_an_earlier_one_is_left_out(retrieval: Retrieval, embedder: Embedder) -> None:
    await retrieval.index(ACME, APOLLO, [await _document(embedder, "d1", EXPORT, HOLIDAYS, revision=2)])

    late = await retrieval.index(ACME, APOLLO, [await _document(embedder, "d1", KITCHEN, revision=1)])
    newer = await retrieval.index(ACME, APOLLO, [await _document(embedder, "d1", EXPORT, revision=3)])

    assert (list(late), list(newer)) == ([], ["d1"])
    found = await retrieval.search(ACME, APOLLO, 9, vector=await _vector(embedder, EXPORT))
    assert [(hit.text, hit.reference.revision) for hit in found] == [(EXPORT, 3)]


async def test_what_was_removed_is_not_found_and_comes_back_with_a_later_revision(
    retrieval: Retrieval, embedder: Embedder
) -> None:
    await retrieval.index(ACME, APOLLO, [await _document(embedder, "d1", EXPORT, KITCHEN, revision=4)])
    vector = await _vector(embedder, EXPORT)

    too_early = await retrieval.remove(ACME, APOLLO, "doc", {"d1": 3})
    gone = await retrieval.remove(ACME, APOLLO, "doc", {"d1": 5})
    found = await retrieval.search(ACME, APOLLO, 9, text="export", vector=vector)
    late = await retrieval.index(ACME, APOLLO, [await _document(embedder, "d1", EXPORT, revision=5)])
    back = await retrieval.index(ACME, APOLLO, [await _document(embedder, "d1", EXPORT, revision=6)])

    assert (too_early, gone, found) == (0, 2, [])
    assert (list(late), list(back)) == ([], ["d1"])
    assert len(await retrieval.search(ACME, APOLLO, 9, vector=vector)) == 1


async def test_indexing_twice_changes_nothing(retrieval: Retrieval, embedder: Embedder) -> None:
    document = await _document(embedder, "d1", EXPORT)

    for _ in range(2):
        assert list(await retrieval.index(ACME, APOLLO, [document])) == ["d1"]

    assert len(await retrieval.search(ACME, APOLLO, 9, vector=await _vector(embedder, EXPORT))) == 1


async def test_vectors_of_known_texts_are_returned(retrieval: Retrieval, embedder: Embedder) -> None:
    await retrieval.index(ACME, APOLLO, [await _document(embedder, "d1", EXPORT)])

    assert await retrieval.known(ACME, APOLLO, [EXPORT, KITCHEN]) == {EXPORT: await _vector(embedder, EXPORT)}


async def test_filters_choose_by_kind_by_document_and_by_time(
    retrieval: Retrieval, embedder: Embedder, time: Time
) -> None:
    await retrieval.index(ACME, APOLLO, [await _document(embedder, "d1", EXPORT)])
    time.now += timedelta(hours=1)
    later = [await _document(embedder, "d2", EXPORT), await _document(embedder, "t1", EXPORT, kind="ticket")]
    await retrieval.index(ACME, APOLLO, later)
    vector = await _vector(embedder, EXPORT)

    async def found(filters: Filters) -> set[str]:
        hits = await retrieval.search(ACME, APOLLO, 9, text="export", vector=vector, filters=filters)
        return {hit.document_id for hit in hits}

    assert await found(Filters(kinds=("ticket",))) == {"t1"}
    assert await found(Filters(document_ids=("d1", "t1"))) == {"d1", "t1"}
    assert await found(Filters(since=time.now)) == {"d2", "t1"}
    assert await found(Filters(kinds=("doc",), since=time.now)) == {"d2"}


async def test_chunk_without_a_vector_is_found_by_its_words_only(retrieval: Retrieval, embedder: Embedder) -> None:
    await retrieval.index(ACME, APOLLO, [Document("doc", "d1", "Export", 1, (Chunk(0, len(EXPORT), EXPORT, None),))])

    by_words = await retrieval.search(ACME, APOLLO, 9, text="invoices")
    by_meaning = await retrieval.search(ACME, APOLLO, 9, vector=await _vector(embedder, EXPORT))

    assert ([hit.document_id for hit in by_words], list(by_meaning)) == (["d1"], [])


async def test_neighbours_are_others_of_the_kind_the_nearest_first(retrieval: Retrieval, embedder: Embedder) -> None:
    near = "The export of invoices is late by Friday."
    texts = {"t1": EXPORT, "t2": HOLIDAYS, "t3": near, "t4": EXPORT}
    tickets = [await _document(embedder, id_, text, kind="ticket") for id_, text in texts.items()]
    await retrieval.index(ACME, APOLLO, [*tickets, await _document(embedder, "d1", EXPORT)])

    found = await retrieval.neighbours(ACME, APOLLO, "ticket", ["t1", "t9"], 2)

    assert list(found) == ["t1"]
    assert [neighbour.document_id for neighbour in found["t1"]] == ["t4", "t3"]
    assert found["t1"][0].similarity == pytest.approx(1.0, abs=0.001)
