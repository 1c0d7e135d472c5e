"""Finding chunks among those of one large project, with vectors drawn around common topics."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from infra.bench.figures import Figure, Section, percentile, rate
from infra.bench.processes import resident_mebibytes
from infra.bench.site import Site
from shared.clock import utc_now
from shared.domain.document import Chunk, Document, Filters
from shared.retrieval.local import LocalVectors
from shared.retrieval.stored import StoredRetrieval
from shared.store.document_search import DocumentSearch
from shared.store.documents import DocumentStore, Place
from shared.store.mongo import Mongo

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[tuple[int, int], np.dtype[np.float32]]

_DIMENSIONS: Final = 512
_CHUNKS_OF_A_TOPIC: Final = 50
_CHUNKS_OF_A_DOCUMENT: Final = 10
_DOCUMENTS_AT_ONCE: Final = 50
_QUERIES: Final = 200
_BOTH: Final = 50
_FOUND: Final = 10
_REST_SECONDS: Final = 11.0
_MOST_BYTES: Final = 1_000_000_000
_PLACE: Final = Place("bench-retrieval", "apollo")
# The text index takes the longest to write, and nothing that is measured afterwards needs many words.
_MANY_WORDS, _FEW_WORDS = 40, 4
_VOCABULARY: Final = 5_000


@dataclass(frozen=True, slots=True)
class Drawn:
    """Vectors of chunks and of queries, each of length 1, always the same for a number of chunks."""

    chunks: "Floats"
    queries: "Floats"

    @classmethod
    def of(cls, count: int) -> "Drawn":
        """Draw so many chunks, spread around their topics, and queries that are near some of them."""
        import numpy as np

        drawn = np.random.default_rng(20_261_121)
        topics = drawn.standard_normal((max(1, count // _CHUNKS_OF_A_TOPIC), _DIMENSIONS), dtype=np.float32)
        chunks = topics[drawn.integers(0, len(topics), count)]
        chunks += 0.7 * drawn.standard_normal(chunks.shape, dtype=np.float32)
        queries = chunks[drawn.integers(0, count, _QUERIES)]
        queries = queries + 0.3 * drawn.standard_normal(queries.shape, dtype=np.float32)
        return cls(_unit(chunks), _unit(queries))

    def nearest(self) -> list[set[str]]:
        """Return the keys of the chunks that are truly nearest to each query."""
        import numpy as np

        nearest = (np.argpartition(-(self.chunks @ query), _FOUND)[:_FOUND] for query in self.queries)
        return [{_key(int(row)) for row in rows} for rows in nearest]


async def measure(site: Site) -> Section:
    """Index the chunks of one project, and search it."""
    return await measured(site.mongo, site.scale.indexed_chunks)


async def measured(mongo: Mongo, count: int) -> Section:
    """Index so many chunks, load them as a fresh runner does, and search."""
    from os import getpid

    drawn = Drawn.of(count)
    chunks, queries = _bytes(drawn.chunks), _bytes(drawn.queries)
    store, search = DocumentStore(mongo, "bench/512", utc_now), DocumentSearch(mongo.database)
    timed = count // 50
    began = time.perf_counter()
    await _put(store, chunks, 0, timed, words=_MANY_WORDS)
    indexed_seconds = time.perf_counter() - began
    await _put(store, chunks, timed, count, words=_FEW_WORDS)
    vectors = LocalVectors(search, "bench/512", _MOST_BYTES, utc_now)
    retrieval = StoredRetrieval(store, search, vectors)
    before = resident_mebibytes(getpid())
    loaded = await _timed(lambda: vectors.nearest(_PLACE, queries[0], _FOUND, Filters()))
    memory = resident_mebibytes(getpid()) - before
    # Until then each search looks again at all that has just been written.
    await asyncio.sleep(_REST_SECONDS)
    found: list[set[str]] = []

    by_meaning, by_both = [], []
    for query in queries:
        began = time.perf_counter()
        found.append(set(await vectors.nearest(_PLACE, query, _FOUND, Filters())))
        by_meaning.append(time.perf_counter() - began)
    for query in queries[:_BOTH]:
        began = time.perf_counter()
        await retrieval.search(_PLACE.organisation, _PLACE.project, _FOUND, text=_text(42, 3), vector=query)
        by_both.append(time.perf_counter() - began)
    truth = drawn.nearest()
    recall = sum(len(one & other) for one, other in zip(found, truth, strict=True)) / (_FOUND * len(truth))
    await store.put(_PLACE, [_document(chunks, 0, _MANY_WORDS, revision=2)])
    changed = await _timed(lambda: vectors.nearest(_PLACE, queries[0], _FOUND, Filters()))
    note = f"{count:,} chunks"
    return Section(
        "Documents: finding chunks",
        [
            Figure(
                "indexed",
                rate(timed, indexed_seconds),
                "chunks/s",
                f"written to MongoDB with vectors and {_MANY_WORDS} words",
            ),
            Figure("loaded", loaded, "s", f"{note}, the first search of a runner"),
            Figure("memory", memory, "MiB", f"{note} of {_DIMENSIONS} dimensions"),
            Figure("found by meaning", percentile(by_meaning, 50) * 1_000, "ms", note),
            Figure("found by meaning, p99", percentile(by_meaning, 99) * 1_000, "ms", note),
            Figure("found by both", percentile(by_both, 50) * 1_000, "ms", "the texts of the chunks read, too"),
            Figure("found by both, p99", percentile(by_both, 99) * 1_000, "ms"),
            Figure("after a change", changed * 1_000, "ms", "one document of ten chunks was indexed again"),
            Figure("recall", 100 * recall, "%", f"of the {_FOUND} nearest by vectors of 32-bit floats"),
        ],
        "Vectors of signed bytes, compared one by one. Embedding is not in these figures",
    )


async def _put(store: DocumentStore, vectors: Sequence[bytes], start: int, end: int, words: int) -> None:
    """Index the chunks from one to another, both of which begin a document."""
    size = _CHUNKS_OF_A_DOCUMENT * _DOCUMENTS_AT_ONCE
    for first in range(start, end, size):
        firsts = range(first, min(end, first + size), _CHUNKS_OF_A_DOCUMENT)
        await store.put(_PLACE, [_document(vectors, each, words) for each in firsts])


def _document(vectors: Sequence[bytes], first: int, words: int, revision: int = 1) -> Document:
    rows = range(first, min(len(vectors), first + _CHUNKS_OF_A_DOCUMENT))
    chunks = tuple(Chunk(row, row + 1, _text(row, words), vectors[row]) for row in rows)
    return Document("doc", f"d{first}", f"Document {first}", revision, chunks)


def _text(row: int, words: int) -> str:
    """Return words of which each is in as many chunks as any other."""
    return " ".join(f"w{(row * 7_919 + step * step * 31) % _VOCABULARY}" for step in range(words))


def _key(row: int) -> str:
    first = row - row % _CHUNKS_OF_A_DOCUMENT
    return f"{_PLACE.key('doc', f'd{first}')}:{row - first}"


def _unit(vectors: "Floats") -> "Floats":
    import numpy as np

    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _bytes(vectors: "Floats") -> list[bytes]:
    """Return the vectors as `shared.retrieval.vectors.encoded` makes them, all at once."""
    import numpy as np

    stretched = np.rint(vectors * (127 / np.abs(vectors).max(axis=1, keepdims=True))).astype(np.int8)
    return [row.tobytes() for row in stretched]


async def _timed(work: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began
