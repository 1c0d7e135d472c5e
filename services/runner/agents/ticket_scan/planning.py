"""What a scan has to ask: the likely pairs of the project's open tickets that were not judged as they are."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.runner.agents.ticket_scan.candidates import candidates, pairs_by_meaning
from services.runner.agents.ticket_scan.findings import Figures
from services.runner.agents.ticket_scan.indexing import KIND, TicketIndex
from services.runner.agents.ticket_scan.titles import pairs_by_titles
from services.runner.agents.ticket_scan.words import pairs_by_words
from shared.domain.ticket import JudgedPair, PairKey, Ticket
from shared.retrieval.port import Neighbour
from shared.store.ticket_pairs import TicketPairStore
from shared.store.tickets import TicketStore

_NEIGHBOURS = 8
_TICKETS_PER_QUESTION = 5_000


@dataclass(frozen=True, slots=True)
class Plan:
    """The pairs to be judged, the likest first, and what finding them took."""

    pairs: tuple[PairKey, ...]
    figures: Figures

    def as_json(self) -> dict[str, Any]:
        """Return it as a step's result."""
        return {"pairs": self.pairs, "figures": asdict(self.figures)}

    @classmethod
    def from_json(cls, result: Mapping[str, Any]) -> "Plan":
        """Read a step's result."""
        return cls(tuple((one, other) for one, other in result["pairs"]), Figures(**result["figures"]))


@dataclass(frozen=True, slots=True)
class Planner:
    """Finds pairs without asking a model."""

    tickets: TicketStore
    pairs: TicketPairStore
    index: TicketIndex

    async def open_tickets(self, organisation: str, project: str) -> dict[str, Ticket]:
        """Return the project's open tickets that say something, by id."""
        return {each.id: each async for each in self.tickets.open_of(organisation, project) if each.text}

    async def plan(self, organisation: str, project: str, asked_about: Sequence[str]) -> Plan:
        """Return what is to be judged; with `asked_about` only what concerns one of these tickets."""
        tickets = await self.open_tickets(organisation, project)
        indexed = await self.index.refresh(organisation, project, tickets.values())
        near = await self._neighbours(organisation, project, list(tickets))
        chosen = await asyncio.to_thread(_chosen, tickets, near, frozenset(asked_about))
        judged = await self.pairs.judged(organisation, project)
        await self._forget_closed(organisation, project, judged, tickets)
        pairs = tuple(pair for pair in chosen if not _is_known(pair, judged.get(pair), tickets))
        figures = Figures(
            tickets=len(tickets),
            changed=indexed.changed,
            candidates=len(chosen),
            known=len(chosen) - len(pairs),
            embedding_calls=indexed.calls,
            embedding_tokens=indexed.tokens,
        )
        return Plan(pairs, figures)

    async def _neighbours(
        self, organisation: str, project: str, ticket_ids: Sequence[str]
    ) -> Mapping[str, Sequence[Neighbour]]:
        found: dict[str, Sequence[Neighbour]] = {}
        for start in range(0, len(ticket_ids), _TICKETS_PER_QUESTION):
            part = ticket_ids[start : start + _TICKETS_PER_QUESTION]
            found.update(await self.index.retrieval.neighbours(organisation, project, KIND, part, _NEIGHBOURS))
        return found

    async def _forget_closed(
        self, organisation: str, project: str, judged: Mapping[PairKey, JudgedPair], tickets: Mapping[str, Ticket]
    ) -> None:
        gone = [pair for pair in judged if not tickets.keys() >= set(pair)]
        if gone:
            await self.pairs.forget(organisation, project, gone)


def _chosen(
    tickets: Mapping[str, Ticket], near: Mapping[str, Sequence[Neighbour]], asked_about: frozenset[str]
) -> list[PairKey]:
    by_words = pairs_by_words(tickets)
    orders = (pairs_by_meaning(near), by_words, pairs_by_titles(tickets, by_words))
    return candidates(orders, frozenset(tickets), asked_about)


def _is_known(pair: PairKey, judged: JudgedPair | None, tickets: Mapping[str, Ticket]) -> bool:
    return judged is not None and judged.hashes == (tickets[pair[0]].text_hash, tickets[pair[1]].text_hash)
