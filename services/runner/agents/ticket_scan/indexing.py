"""Keeps the vectors of a project's open tickets: only what is new or changed is embedded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from shared.domain.ticket import Ticket
from shared.llm.port import Embedder
from shared.retrieval.port import Chunk, Document, Retrieval
from shared.retrieval.vectors import encoded
from shared.store.tickets import TicketStore

KIND = "ticket"
_TEXTS_PER_CALL = 256
_MOST_CLOSED = 5_000


@dataclass(frozen=True, slots=True)
class Indexed:
    """What was done: tickets that were new or changed, calls for vectors, and their tokens."""

    changed: int = 0
    calls: int = 0
    tokens: int = 0

    def plus(self, other: "Indexed") -> "Indexed":
        return Indexed(self.changed + other.changed, self.calls + other.calls, self.tokens + other.tokens)


@dataclass(frozen=True, slots=True)
class TicketIndex:
    """What is embedded is stored batch by batch, so an attempt that follows on a lost one goes on where that was."""

    tickets: TicketStore
    retrieval: Retrieval
    embedder: Embedder | None
    timeout_seconds: float

    async def refresh(self, organisation: str, project: str, tickets: Iterable[Ticket]) -> Indexed:
        """Embed what changed, and take out what was closed; without an embedder do nothing. Raises its errors."""
        if self.embedder is None:
            return Indexed()
        space = self.embedder.space
        closed = await self.tickets.closed_but_indexed(organisation, project, _MOST_CLOSED)
        if closed:
            await self.retrieval.remove(organisation, project, KIND, closed)
            await self.tickets.note_indexed(organisation, project, dict.fromkeys(closed))
        changed = iter([each for each in tickets if each.indexed_hash != _hash(space, each)])
        done = Indexed()
        while batch := list(islice(changed, _TEXTS_PER_CALL)):
            done = done.plus(await self._index(organisation, project, self.embedder, batch))
        return done

    async def _index(self, organisation: str, project: str, embedder: Embedder, batch: Sequence[Ticket]) -> Indexed:
        vectors, done = await self._vectors(organisation, project, embedder, batch)
        documents = [
            Document(
                KIND, each.id, each.title, each.revision, (Chunk(0, len(each.text), each.text, vectors[each.text]),)
            )
            for each in batch
        ]
        await self.retrieval.index(organisation, project, documents)
        await self.tickets.note_indexed(organisation, project, {each.id: _hash(embedder.space, each) for each in batch})
        return done

    async def _vectors(
        self, organisation: str, project: str, embedder: Embedder, batch: Sequence[Ticket]
    ) -> tuple[Mapping[str, bytes], Indexed]:
        texts = list(dict.fromkeys(each.text for each in batch))
        known = await self.retrieval.known(organisation, project, texts)
        unknown = [text for text in texts if text not in known]
        if not unknown:
            return known, Indexed(len(batch))
        embeddings = await embedder.embed(unknown, self.timeout_seconds)
        made = dict(zip(unknown, map(encoded, embeddings.vectors), strict=True))
        return {**known, **made}, Indexed(len(batch), 1, embeddings.usage.input_tokens)


def _hash(space: str, ticket: Ticket) -> str:
    """Name the text and what its vector compares with: vectors of another model do not."""
    return f"{space}:{ticket.text_hash}"
