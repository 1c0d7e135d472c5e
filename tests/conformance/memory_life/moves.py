"""What people and Agents do about one memory block, and how each of it is tried on the real store."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st

from contracts.agents import MemoryOwner
from shared.domain.memory import Operation, Owner
from shared.errors import Conflict, NotFound
from shared.store.deciding import Deciding
from shared.store.memory import MemoryBlock, MemoryStore
from shared.store.memory_changes import Edit
from shared.store.memory_history import MemoryHistory, Writing
from shared.store.mongo import Document, Mongo
from shared.store.proposals import ProposalStore
from tests.integration.store.proposing import made
from tests.unit.shared.given import LATER

FIELD = "reviews"
LABEL = "preferences"
PEOPLE = ("ada", "olga")
AGENTS = ("noter", "reader", "grader")
NOW = LATER + timedelta(minutes=5)


class Kind(StrEnum):
    """What may be done."""

    APPEND = "append"
    REPLACE = "replace"
    LLM_DIFF = "llm_diff"
    PROJECT_AGAIN = "project_again"
    APPROVE = "approve"
    APPROVE_EDITED = "approve_edited"
    REJECT = "reject"
    UNDO = "undo"
    EDIT = "edit"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that somebody does: who, to which of what there is, and where in the text."""

    kind: Kind
    who: int
    which: int
    where: int
    how: int


NUMBERS = st.integers(0, 11)
MOVES = st.builds(Move, st.sampled_from(Kind), NUMBERS, NUMBERS, NUMBERS, NUMBERS)


@dataclass
class Desk:
    """One block of one user, what was proposed for it, and what people wrote into it by hand."""

    mongo: Mongo
    organisation: str
    proposals: list[Document] = field(default_factory=list)
    written: dict[int, tuple[int, dict[str, str]]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    done: int = 0
    _numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.owner = Owner(MemoryOwner.USER, "ada")
        self.block = MemoryBlock(self.organisation, self.owner, LABEL, {}, 0)
        self.store = ProposalStore(self.mongo)
        self.history = MemoryHistory(self.mongo)

    async def make(self, move: Move) -> None:
        """Try a move; what is refused in one of the ways that there are has changed nothing."""
        try:
            await self._act(move)
        except (Conflict, NotFound) as error:
            self.refused.append(error.code)
        else:
            self.done += 1

    async def now(self) -> MemoryBlock:
        """Return the block as it is."""
        found = await MemoryStore(self.mongo.database).of_owners(self.organisation, [self.owner], LABEL)
        return found[0] if found else self.block

    async def _act(self, move: Move) -> None:
        match move.kind:
            case Kind.APPEND | Kind.REPLACE | Kind.LLM_DIFF:
                await self._propose(move)
            case Kind.EDIT:
                await self._edit(move)
            case Kind.RESTORE:
                await self._restore(move)
            case _ if not self.proposals:
                return
            case Kind.PROJECT_AGAIN:
                await self.store.project([self._proposal(move)])
            case Kind.APPROVE_EDITED:
                proposal = self._proposal(move)
                value = self._changed(proposal["change"]["proposed_value"], move)
                await self.store.approve(proposal["_id"], self._deciding(move), Edit(value))
            case Kind.APPROVE | Kind.REJECT | Kind.UNDO:
                decide = {Kind.APPROVE: self.store.approve, Kind.REJECT: self.store.reject, Kind.UNDO: self.store.undo}
                await self._decide(decide[move.kind], move)

    async def _decide(self, decide: Callable[[str, Deciding], Awaitable[Document]], move: Move) -> None:
        await decide(self._proposal(move)["_id"], self._deciding(move))

    async def _propose(self, move: Move) -> None:
        seen = await self.now()
        text = seen.fields.get(FIELD, "")
        value = self._word() if move.kind is Kind.APPEND else self._changed(text, move)
        proposal = made(
            next(self._numbers),
            agent=AGENTS[move.who % len(AGENTS)],
            base_version=seen.version,
            operation=Operation(move.kind.value),
            current_value=text,
            proposed_value=value,
        ) | {"organisation": self.organisation}
        proposal["_id"] = f"{self.organisation}:{proposal['_id']}"
        self.proposals.append(proposal)
        await self.store.project([proposal])

    async def _edit(self, move: Move) -> None:
        seen = await self.now()
        text = self._changed(seen.fields.get(FIELD, ""), move)
        writing = Writing(self._person(move), NOW, base_version=seen.version)
        written = await self.history.edit(seen, {FIELD: text}, writing)
        self.written[written.version] = (seen.version, written.fields)

    async def _restore(self, move: Move) -> None:
        seen = await self.now()
        await self.history.restore(seen, 1 + move.which % max(seen.version, 1), Writing(self._person(move), NOW))

    def _changed(self, text: str, move: Move) -> str:
        """Return the text with a new word in it, and perhaps without an old one."""
        words, new = text.split(), self._word()
        if not words:
            return new
        old = words[move.where % len(words)]
        return text.replace(old, (f"{old} {new}", f"{old}\n{new}", new, "")[move.how % 4])

    def _word(self) -> str:
        return f"w{next(self._numbers):05}"

    def _proposal(self, move: Move) -> Document:
        return self.proposals[-1 - move.which % len(self.proposals)]

    def _person(self, move: Move) -> str:
        return PEOPLE[move.who % len(PEOPLE)]

    def _deciding(self, move: Move) -> Deciding:
        return Deciding(self._person(move), NOW)
