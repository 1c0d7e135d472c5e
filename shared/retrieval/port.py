"""Where documents are found again, by meaning and by words, whatever keeps the index.

Everything belongs to one project of one organisation, and nothing is ever found from another one. A document is known
by its kind (`doc`, `ticket`) and its id. Who indexes or searches embeds the texts (`shared.llm.port.Embedder`) and
hands over the vectors as `shared.retrieval.vectors.encoded` makes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Chunk:
    """The characters `start` to `end` of a document's text, and their vector; None finds it by its words only."""

    start: int
    end: int
    text: str
    vector: bytes | None


@dataclass(frozen=True, slots=True)
class Mention:
    """What a text refers to: a `ticket` or a `link`, exactly as written, from the character `start`."""

    kind: str
    value: str
    start: int


@dataclass(frozen=True, slots=True)
class Document:
    """One revision of a document with its chunks in the order of the text. `run_id` is the run that indexed it."""

    kind: str
    id: str
    title: str
    revision: int
    chunks: tuple[Chunk, ...]
    mentions: tuple[Mention, ...] = ()
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What may be found; `since` is when a document was last indexed."""

    kinds: tuple[str, ...] | None = None
    document_ids: tuple[str, ...] | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """Where in which revision of a document something stands, in characters."""

    title: str
    revision: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found. `chunk` is its number in the document from 0; scores compare within one search."""

    document_id: str
    kind: str
    chunk: int
    text: str
    score: float
    reference: Reference


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A document whose best chunk is near one of another document. `similarity` is their cosine, 1 when equal."""

    document_id: str
    similarity: float


class Retrieval(Protocol):
    """Documents of all projects. Every method raises StorageUnavailable while the database does not answer."""

    async def known(self, organisation: str, project: str, texts: Sequence[str]) -> Mapping[str, bytes]:
        """Return the vectors of the texts that are chunks of the project already; only the others need embedding."""
        ...

    async def index(self, organisation: str, project: str, documents: Sequence[Document]) -> Sequence[str]:
        """Store documents in place of what was stored of them, and return the ids of those that were stored.

        A document of which a later revision is stored, or was removed, is left out. The same revision again replaces
        the chunks, so that indexing twice changes nothing.
        """
        ...

    async def remove(self, organisation: str, project: str, kind: str, revisions: Mapping[str, int]) -> int:
        """Remove documents up to these revisions, by id; return how many chunks are gone."""
        ...

    async def search(
        self,
        organisation: str,
        project: str,
        limit: int,
        *,
        text: str | None = None,
        vector: bytes | None = None,
        filters: Filters | None = None,
    ) -> Sequence[Hit]:
        """Return the chunks that fit best, by words, by meaning, or by both: then the two orders are fused."""
        ...

    async def neighbours(
        self, organisation: str, project: str, kind: str, document_ids: Sequence[str], limit: int
    ) -> Mapping[str, Sequence[Neighbour]]:
        """Return for each document the nearest others of its kind, the nearest first, by their best chunks.

        One that is not indexed, or has no vectors, has no neighbours.
        """
        ...
