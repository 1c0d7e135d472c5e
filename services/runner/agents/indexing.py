"""Indexing as steps: what is known already is looked up, the rest is embedded in batches, and all of it is stored."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.runner.agents.limits import check_tokens
from services.runner.recorder import Step
from services.runner.work import Attempt
from shared.domain.run import Usage
from shared.errors import Permanent
from shared.llm.port import Embedder
from shared.retrieval.chunking import chunks_of, mentions_in
from shared.retrieval.port import Chunk, Document, Retrieval
from shared.retrieval.vectors import encoded

_MOST_TEXTS = 64
"""Texts of one call: with 2,000 characters each, a tenth of what the provider takes."""


class NoProject(Permanent):
    """Documents are kept by project, and the run is of none."""

    code = "no_project"


@dataclass(frozen=True, slots=True)
class Text:
    """A revision of a document as it came."""

    kind: str
    id: str
    title: str
    revision: int
    text: str


@dataclass(frozen=True, slots=True)
class Indexed:
    """What indexing came to, in chunks: all there are, those embedded now, those embedded before, those removed.

    `outdated` names the documents of which a later revision was there already; their chunks count nowhere.
    """

    chunks: int = 0
    embedded: int = 0
    reused: int = 0
    removed: int = 0
    outdated: tuple[str, ...] = ()

    def as_output(self) -> dict[str, Any]:
        """Return it as a part of a run's output."""
        counts = {"chunks": self.chunks, "embedded": self.embedded, "reused": self.reused, "removed": self.removed}
        return {**counts, "outdated": list(self.outdated)} if self.outdated else counts


@dataclass(frozen=True, slots=True)
class Indexing:
    """Indexes documents of a run's project. Without an embedder they are found by their words only."""

    retrieval: Retrieval
    embedder: Embedder | None
    chunk_characters: int
    timeout_seconds: float

    async def index(self, attempt: Attempt, texts: Sequence[Text]) -> Indexed:
        """Index the texts as they are now, in at most three kinds of steps. Raises the errors of embedding."""
        documents = [self._document(attempt, text) for text in texts]
        wanted = list(dict.fromkeys(chunk.text for document in documents for chunk in document.chunks))
        known = await self._known(attempt, wanted)
        missing = [text for text in wanted if text not in known]
        vectors = await self._embedded(attempt, missing)
        stored = await self._store(attempt, documents, known, vectors)
        counted = [chunk.text for document in documents if document.id in stored for chunk in document.chunks]
        embedded = sum(text in vectors for text in counted)
        outdated = tuple(document.id for document in documents if document.id not in stored)
        return Indexed(len(counted), embedded, sum(text in known for text in counted), 0, outdated)

    async def remove(self, attempt: Attempt, kind: str, revisions: Mapping[str, int]) -> Indexed:
        """Remove documents up to these revisions, as one step."""
        organisation, project = _place(attempt)

        async def remove(_: Step) -> dict[str, Any]:
            return {"removed": await self.retrieval.remove(organisation, project, kind, revisions)}

        asked = {"remove": {"kind": kind, "revisions": dict(revisions)}}
        return Indexed(removed=(await attempt.steps.step("index_write", kind, asked, remove))["removed"])

    def _document(self, attempt: Attempt, text: Text) -> Document:
        return Document(
            kind=text.kind,
            id=text.id,
            title=text.title,
            revision=text.revision,
            chunks=tuple(chunks_of(text.text, self.chunk_characters)),
            mentions=tuple(mentions_in(text.text)),
            run_id=attempt.claim.run_id,
        )

    async def _known(self, attempt: Attempt, wanted: Sequence[str]) -> set[str]:
        """Return which of the texts were embedded before; recorded, so that a later attempt embeds the same ones."""
        if self.embedder is None or not wanted:
            return set()
        organisation, project = _place(attempt)

        async def look_up(_: Step) -> dict[str, Any]:
            known = await self.retrieval.known(organisation, project, wanted)
            return {"known": [place for place, text in enumerate(wanted) if text in known]}

        result = await attempt.steps.step("index_read", self.embedder.space, {"texts": wanted}, look_up)
        return {wanted[place] for place in result["known"]}

    async def _embedded(self, attempt: Attempt, texts: Sequence[str]) -> dict[str, bytes]:
        vectors: dict[str, bytes] = {}
        for batch in _batches(texts):
            vectors |= zip(batch, await self._embed(attempt, batch), strict=True)
        return vectors

    async def _embed(self, attempt: Attempt, texts: Sequence[str]) -> list[bytes]:
        """Embed some texts as one step, whose result are the vectors; count its tokens with the run's."""
        embedder = self.embedder
        if embedder is None:
            raise AssertionError("only what an embedder does not know yet is embedded")
        check_tokens(attempt)

        async def embed(_: Step) -> dict[str, Any]:
            found = await embedder.embed(texts, attempt.spec.call_timeout_seconds or self.timeout_seconds)
            vectors = [b64encode(encoded(vector)).decode() for vector in found.vectors]
            return {"vectors": vectors, "usage": {"input_tokens": found.usage.input_tokens, "output_tokens": 0}}

        result = await attempt.steps.step("embedding", embedder.space, {"texts": list(texts)}, embed)
        attempt.usage = attempt.usage.plus(Usage(result["usage"]["input_tokens"]))
        return [b64decode(vector) for vector in result["vectors"]]

    async def _store(
        self, attempt: Attempt, documents: Sequence[Document], known: set[str], vectors: Mapping[str, bytes]
    ) -> set[str]:
        organisation, project = _place(attempt)

        async def store(_: Step) -> dict[str, Any]:
            reused = await self.retrieval.known(organisation, project, sorted(known)) if known else {}
            whole = [_with_vectors(document, {**reused, **vectors}) for document in documents]
            return {"stored": list(await self.retrieval.index(organisation, project, whole))}

        asked = {"index": [[each.kind, each.id, each.revision, len(each.chunks)] for each in documents]}
        return set((await attempt.steps.step("index_write", "documents", asked, store))["stored"])


def _with_vectors(document: Document, vectors: Mapping[str, bytes]) -> Document:
    chunks: Iterable[Chunk] = (replace(chunk, vector=vectors.get(chunk.text)) for chunk in document.chunks)
    return replace(document, chunks=tuple(chunks))


def _batches(texts: Sequence[str]) -> Iterable[Sequence[str]]:
    return (texts[start : start + _MOST_TEXTS] for start in range(0, len(texts), _MOST_TEXTS))


def _place(attempt: Attempt) -> tuple[str, str]:
    if attempt.run["project"] is None:
        raise NoProject(
            f"'{attempt.spec.key}' indexes documents, which belong to a project, and this run is of none: name a project."
        )
    return attempt.run["organisation"], attempt.run["project"]
