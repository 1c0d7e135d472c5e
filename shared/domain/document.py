"""Documents that are found again: their chunks, and what a search returns of them."""

from dataclasses import dataclass
from datetime import datetime


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
