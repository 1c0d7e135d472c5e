"""How long the parts of a scan take, by the clock: each port that a scan uses."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from shared.llm.port import Background, Embedder, Embeddings, ModelClient, ModelRequest, ModelResponse, Usage
from shared.retrieval.port import Document, Filters, Hit, Neighbour, Retrieval

VECTORS, INDEX, NEIGHBOURS, JUDGING = "vectors", "index", "neighbours", "judging"


@dataclass(slots=True)
class _Part:
    seconds: float = 0.0
    going_on: int = 0
    began: float = 0.0


@dataclass(slots=True)
class Stopwatch:
    """Seconds by part. What goes on several times at once counts once."""

    _parts: dict[str, _Part] = field(default_factory=dict)

    @property
    def seconds(self) -> Mapping[str, float]:
        """The seconds of each part that went on."""
        return {name: part.seconds for name, part in self._parts.items()}

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        """Count the time of the block."""
        part = self._parts.setdefault(name, _Part())
        if not part.going_on:
            part.began = time.perf_counter()
        part.going_on += 1
        try:
            yield
        finally:
            part.going_on -= 1
            if not part.going_on:
                part.seconds += time.perf_counter() - part.began


@dataclass(frozen=True, slots=True)
class TimedModel:
    """A provider of models, timed."""

    model: ModelClient
    watch: Stopwatch

    async def respond(
        self, request: ModelRequest, timeout_seconds: float, background: Background | None = None
    ) -> ModelResponse:
        """Count as judging."""
        with self.watch.during(JUDGING):
            return await self.model.respond(request, timeout_seconds, background)

    async def cancel(self, response_id: str, timeout_seconds: float) -> Usage | None:
        """End a response."""
        return await self.model.cancel(response_id, timeout_seconds)

    async def close(self) -> None:
        """Release the connections."""
        await self.model.close()


@dataclass(frozen=True, slots=True)
class TimedEmbedder:
    """A provider of vectors, timed."""

    embedder: Embedder
    watch: Stopwatch

    @property
    def space(self) -> str:
        """Name what vectors compare with."""
        return self.embedder.space

    async def embed(self, texts: Sequence[str], timeout_seconds: float) -> Embeddings:
        """Count as making vectors."""
        with self.watch.during(VECTORS):
            return await self.embedder.embed(texts, timeout_seconds)


@dataclass(frozen=True, slots=True)
class TimedRetrieval:
    """Documents of all projects, timed."""

    retrieval: Retrieval
    watch: Stopwatch

    async def known(self, organisation: str, project: str, texts: Sequence[str]) -> Mapping[str, bytes]:
        """Count as keeping the index."""
        with self.watch.during(INDEX):
            return await self.retrieval.known(organisation, project, texts)

    async def index(self, organisation: str, project: str, documents: Sequence[Document]) -> Sequence[str]:
        """Count as keeping the index."""
        with self.watch.during(INDEX):
            return await self.retrieval.index(organisation, project, documents)

    async def remove(self, organisation: str, project: str, kind: str, revisions: Mapping[str, int]) -> int:
        """Count as keeping the index."""
        with self.watch.during(INDEX):
            return await self.retrieval.remove(organisation, project, kind, revisions)

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
        """Return the chunks that fit best."""
        return await self.retrieval.search(organisation, project, limit, text=text, vector=vector, filters=filters)

    async def neighbours(
        self, organisation: str, project: str, kind: str, document_ids: Sequence[str], limit: int
    ) -> Mapping[str, Sequence[Neighbour]]:
        """Count as finding neighbours."""
        with self.watch.during(NEIGHBOURS):
            return await self.retrieval.neighbours(organisation, project, kind, document_ids, limit)
