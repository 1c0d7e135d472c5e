"""Proposals for one memory block, for tests to decide."""

from datetime import timedelta
from typing import Any

from contracts.agents import MemoryOwner
from shared.domain.memory import Owner, block_id
from shared.domain.projection import proposals_of
from shared.domain.run import RunStatus
from shared.store.deciding import Deciding
from shared.store.memory import MemoryStore
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from tests.unit.shared.given import LATER, Document, a_memory_effect, a_new_run, a_stored_run

ADA = Owner(MemoryOwner.USER, "ada")
BLOCK = block_id("acme", ADA, "preferences")
DECIDING = Deciding("ada", LATER, "Right.")


def made(number: int, agent: str = "noter", base_version: int = 0, **changes: Any) -> Document:
    """Return the proposal of an Agent's run, the later the greater its number."""
    run = a_stored_run(
        RunStatus.COMPLETED,
        a_new_run(f"run_{agent}_{number}", agent_key=agent),
        effects=[a_memory_effect(0, **changes) | {"base_version": base_version}],
        finished_at=LATER + timedelta(seconds=number),
    )
    (proposal,) = proposals_of(run)
    return proposal


async def proposed(mongo: Mongo, number: int, **changes: Any) -> str:
    """Propose something; return the id of the proposal."""
    proposal = made(number, **changes)
    await ProposalStore(mongo).project([proposal])
    return str(proposal["_id"])


async def text_of(mongo: Mongo, field: str = "reviews") -> str | None:
    """Return what the field says now; None when there is no such field."""
    blocks = await MemoryStore(mongo.database).of_owners("acme", [ADA])
    return blocks[0].fields.get(field) if blocks else None


async def history_of(mongo: Mongo) -> list[Document]:
    """Return the versions of the block, the oldest first."""
    return await mongo.database["memory_versions"].find({"block_id": BLOCK}).sort("version").to_list(None)
