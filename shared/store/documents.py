"""Documents and their chunks: the latest revision of each, as it was indexed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from bson.binary import VECTOR_SUBTYPE, Binary
from pymongo import ASCENDING, DESCENDING, TEXT, IndexModel, ReplaceOne

from contracts.ids import derived_id
from shared.clock import Clock
from shared.domain.document import Chunk, Document
from shared.store import mongo as store
from shared.store.mongo import Collection, Mongo, storage_errors
from shared.store.transaction import Transaction

INDEXES = [
    IndexModel(
        [("organisation", ASCENDING), ("project", ASCENDING), ("changed_at", DESCENDING), ("_id", DESCENDING)],
        name="by_change",
    )
]
CHUNK_INDEXES = [
    IndexModel([("organisation", ASCENDING), ("project", ASCENDING), ("hash", ASCENDING)], name="by_hash"),
    IndexModel([("document_key", ASCENDING), ("number", ASCENDING)], name="by_document"),
    IndexModel(
        [("organisation", ASCENDING), ("project", ASCENDING), ("text", TEXT), ("title", TEXT)],
        name="by_words",
        weights={"text": 2, "title": 1},
        default_language="english",
        # A field of that name would otherwise choose the language of its document.
        language_override="text_language",
    ),
]
_MOST_DOCUMENTS = 50
_SCHEMA_VERSION = 1
# What BSON puts before a vector of signed bytes: their type, and no padding.
_INT8 = b"\x03\x00"


@dataclass(frozen=True, slots=True)
class Place:
    """The project of an organisation, outside of which nothing is read or written."""

    organisation: str
    project: str

    @property
    def query(self) -> store.Document:
        return {"organisation": self.organisation, "project": self.project}

    def key(self, kind: str, document_id: str) -> str:
        """Return the key of a document."""
        return derived_id("doc", self.organisation, self.project, kind, document_id)


class DocumentStore:
    """The collections `documents` and `chunks`. `space` is what the vectors are of that are written now."""

    def __init__(self, mongo: Mongo, space: str | None, clock: Clock) -> None:
        self._mongo = mongo
        self._space = space
        self._clock = clock
        self._chunks: Collection = mongo.database["chunks"]

    async def known(self, place: Place, texts: Sequence[str]) -> dict[str, bytes]:
        """Return the vectors of the texts that are chunks of the project, in the space of now."""
        hashes = {content_hash(text): text for text in texts}
        query = {**place.query, "hash": {"$in": list(hashes)}, "space": self._space}
        with storage_errors():
            found = self._chunks.find(query, {"hash": 1, "vector": 1})
            return {hashes[each["hash"]]: plain(each["vector"]) async for each in found if each["vector"] is not None}

    async def put(self, place: Place, documents: Sequence[Document]) -> list[str]:
        """Store documents unless a later revision is known; return the ids of those that are stored now."""
        stored: list[str] = []
        for start in range(0, len(documents), _MOST_DOCUMENTS):
            stored += await self._put(place, documents[start : start + _MOST_DOCUMENTS])
        return stored

    async def remove(self, place: Place, kind: str, revisions: Mapping[str, int]) -> int:
        """Remove documents up to these revisions; return how many chunks are gone."""
        keys = {place.key(kind, id_): (id_, revision) for id_, revision in revisions.items()}

        def work(within: Transaction) -> int:
            now = self._clock()
            earlier = _earlier(within, keys)
            going = {key: named for key, named in keys.items() if named[1] >= _latest(earlier.get(key))}
            for key, (id_, revision) in going.items():
                empty = Document(kind, id_, _title(earlier.get(key), id_), revision, ())
                removed = {**_head(place, empty, now), "version": _version(earlier.get(key)), "removed_at": now}
                within["documents"].replace_one({"_id": key}, removed, upsert=True)
            return within["chunks"].delete_many({"document_key": {"$in": list(going)}}).deleted_count

        return await self._mongo.transaction(work)

    async def _put(self, place: Place, documents: Sequence[Document]) -> list[str]:
        wanted = {place.key(document.kind, document.id): document for document in documents}

        def work(within: Transaction) -> list[str]:
            now = self._clock()
            earlier = _earlier(within, wanted)
            taken = {key: document for key, document in wanted.items() if _is_news(earlier.get(key), document)}
            changed = {key: each for key, each in taken.items() if not self._is_same(earlier.get(key), each)}
            if changed:
                self._replace(within, place, changed, earlier, now)
            return [document.id for document in taken.values()]

        return await self._mongo.transaction(work)

    def _is_same(self, earlier: store.Document | None, document: Document) -> bool:
        return earlier is not None and earlier.get("fingerprint") == _fingerprint(document, self._space)

    def _replace(
        self,
        within: Transaction,
        place: Place,
        documents: Mapping[str, Document],
        earlier: Mapping[str, store.Document],
        now: datetime,
    ) -> None:
        heads = [
            ReplaceOne(
                {"_id": key},
                {
                    **_head(place, document, now),
                    "space": self._space,
                    "fingerprint": _fingerprint(document, self._space),
                    "version": _version(earlier.get(key)),
                },
                upsert=True,
            )
            for key, document in documents.items()
        ]
        chunks = [each for key, document in documents.items() for each in self._chunks_of(place, key, document, now)]
        within["documents"].bulk_write(heads, ordered=False)
        within["chunks"].delete_many({"document_key": {"$in": list(documents)}})
        if chunks:
            within["chunks"].insert_many(chunks, ordered=False)

    def _chunks_of(self, place: Place, key: str, document: Document, now: datetime) -> list[store.Document]:
        about = {
            "document_key": key,
            **place.query,
            "kind": document.kind,
            "document_id": document.id,
            "title": document.title,
            "revision": document.revision,
            "indexed_at": now,
        }
        numbered = enumerate(document.chunks)
        return [
            {"_id": f"{key}:{number}", "number": number, **about, **_chunk(chunk, self._space)}
            for number, chunk in numbered
        ]


def content_hash(text: str) -> str:
    """Return what is the same for equal texts."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def as_vector(vector: bytes) -> Binary:
    """Return an encoded vector as BSON keeps those of signed bytes."""
    return Binary(_INT8 + vector, VECTOR_SUBTYPE)


def plain(vector: bytes) -> bytes:
    """Return an encoded vector as it was before BSON."""
    return bytes(vector[len(_INT8) :])


def _chunk(chunk: Chunk, space: str | None) -> dict[str, Any]:
    return {
        "start": chunk.start,
        "end": chunk.end,
        "text": chunk.text,
        "hash": content_hash(chunk.text),
        "space": None if chunk.vector is None else space,
        "vector": None if chunk.vector is None else as_vector(chunk.vector),
    }


def _head(place: Place, document: Document, now: datetime) -> store.Document:
    return {
        "schema_version": _SCHEMA_VERSION,
        **place.query,
        "kind": document.kind,
        "document_id": document.id,
        "title": document.title,
        "revision": document.revision,
        "chunks": len(document.chunks),
        "mentions": [{"kind": each.kind, "value": each.value, "start": each.start} for each in document.mentions],
        "run_id": document.run_id,
        "changed_at": now,
        "removed_at": None,
    }


def _fingerprint(document: Document, space: str | None) -> str:
    """Return what is the same when writing the document again would change nothing."""
    chunks = [f"{each.start}:{content_hash(each.text)}:{each.vector is not None}" for each in document.chunks]
    return content_hash("\n".join([str(space), str(document.revision), document.title, *chunks]))


def _earlier(within: Transaction, keys: Iterable[str]) -> dict[str, store.Document]:
    return {document["_id"]: document for document in within["documents"].find({"_id": {"$in": list(keys)}})}


def _latest(earlier: store.Document | None) -> int:
    return -1 if earlier is None else int(earlier["revision"])


def _is_news(earlier: store.Document | None, document: Document) -> bool:
    """Whether a revision may be stored: after a removal only a later one, otherwise the same one again, too."""
    if earlier is not None and earlier["removed_at"] is not None:
        return document.revision > _latest(earlier)
    return document.revision >= _latest(earlier)


def _version(earlier: store.Document | None) -> int:
    return 1 if earlier is None else int(earlier["version"]) + 1


def _title(earlier: store.Document | None, id_: str) -> str:
    return id_ if earlier is None else str(earlier["title"])
