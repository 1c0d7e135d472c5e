"""Proposals, and the one transaction in which one of them is decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from contracts.agents import EffectKind, MemoryOwner
from shared.domain.memory import Fits, Operation, Owner, Stale, fit
from shared.domain.proposal import ProposalStatus
from shared.errors import Conflict, NotFound
from shared.store.approvals import accept_approval
from shared.store.events import EventStore
from shared.store.memory import Author, MemoryStore
from shared.store.mongo import Collection, Document, Mongo, insert_new, storage_errors

INDEXES = [
    IndexModel(
        [("organisation", ASCENDING), ("user", ASCENDING), ("status", ASCENDING), ("created_at", DESCENDING)],
        name="by_user",
    ),
    IndexModel(
        [("organisation", ASCENDING), ("status", ASCENDING), ("created_at", DESCENDING)], name="by_organisation"
    ),
    IndexModel([("run_id", ASCENDING)], name="by_run"),
]


class ProposalDecided(Conflict):
    """The proposal is not pending any more."""

    code = "proposal_decided"


class ProposalStale(Conflict):
    """Somebody changed the text after the Agent had read it."""

    code = "proposal_stale"


@dataclass(frozen=True, slots=True)
class Deciding:
    """Who decides, when, and why."""

    user: str
    at: datetime
    reason: str | None = None


class ProposalStore:
    """The `proposals` collection."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._proposals: Collection = mongo.database["proposals"]
        self._memory = MemoryStore(mongo.database)
        self._events = EventStore(mongo.database)

    async def project(self, proposals: Sequence[Document]) -> None:
        """Add the proposals that are not there yet."""
        await insert_new(self._proposals, list(proposals))

    async def find(self, query: Document, limit: int) -> list[Document]:
        """Return proposals that match, newest first."""
        with storage_errors():
            cursor = self._proposals.find(query).sort([("created_at", DESCENDING), ("_id", DESCENDING)]).limit(limit)
            return await cursor.to_list(limit)

    async def get(self, query: Document) -> Document:
        """Return the proposal that matches, or raise NotFound."""
        with storage_errors():
            found = await self._proposals.find_one(query)
        if found is None:
            raise NotFound("There is no such proposal, or it is not yours to see.")
        return found

    async def reject(self, proposal_id: str, deciding: Deciding) -> Document:
        """Reject a pending proposal; rejecting one again is the same, deciding it otherwise raises ProposalDecided."""
        decided = _decided(ProposalStatus.REJECTED, deciding)
        with storage_errors():
            rejected = await self._proposals.find_one_and_update(
                {"_id": proposal_id, "status": ProposalStatus.PENDING},
                {"$set": decided},
                return_document=ReturnDocument.AFTER,
            )
        return rejected if rejected is not None else await self._as_before(proposal_id, ProposalStatus.REJECTED)

    async def approve(self, proposal_id: str, deciding: Deciding) -> Document:
        """Approve a pending proposal and, in the same transaction, write the block's next version, or for other kinds than
        memory the event that tells the product.

        Approving again is the same answer. Raises ProposalDecided, or ProposalStale when newer text is in the way.
        """
        approved = await self._mongo.transaction(lambda session: self._approve(proposal_id, deciding, session))
        return approved if approved is not None else await self._as_before(proposal_id, ProposalStatus.APPROVED)

    async def _approve(
        self, proposal_id: str, deciding: Deciding, session: AsyncIOMotorClientSession
    ) -> Document | None:
        pending = {"_id": proposal_id, "status": ProposalStatus.PENDING}
        approved: Document | None = await self._proposals.find_one_and_update(
            pending,
            {"$set": _decided(ProposalStatus.APPROVED, deciding)},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if approved is None:
            return None
        await accept_approval(self._events, approved, session)
        if approved["kind"] != EffectKind.MEMORY_DIFF:
            return approved
        version = await self._apply_to_memory(approved, deciding, session)
        await self._proposals.update_one({"_id": proposal_id}, {"$set": {"applied_version": version}}, session=session)
        return {**approved, "applied_version": version}

    async def _apply_to_memory(self, proposal: Document, deciding: Deciding, session: AsyncIOMotorClientSession) -> int:
        change = proposal["change"]
        owner = Owner(MemoryOwner(change["owner"]["type"]), change["owner"]["id"])
        block = await self._memory.block(proposal["organisation"], owner, change["block_label"], session)
        field = change["field"]
        fitting = fit(
            Operation(change["operation"]),
            seen=change["current_value"],
            proposed=change["proposed_value"],
            current=block.fields.get(field, ""),
        )
        match fitting:
            case Stale(current_value):
                raise ProposalStale(
                    f"Field '{field}' of block '{block.label}' was changed after the Agent read it"
                    f" (version {proposal['base_version']}, now {block.version})."
                    " Compare the three texts, then reject this proposal or edit the block yourself.",
                    base=change["current_value"],
                    current=current_value,
                    proposed=change["proposed_value"],
                )
            case Fits(text):
                author = Author(deciding.user, proposal["agent_key"], proposal["run_id"], proposal["_id"])
                return await self._memory.write(block, {**block.fields, field: text}, author, deciding.at, session)

    async def _as_before(self, proposal_id: str, wanted: ProposalStatus) -> Document:
        proposal = await self.get({"_id": proposal_id})
        if proposal["status"] != wanted:
            raise ProposalDecided(
                f"This proposal is {proposal['status']} since {proposal['decided_at']:%Y-%m-%d %H:%M} UTC"
                f" by {proposal['decided_by']}; it cannot be {wanted}.",
                status=proposal["status"],
            )
        return proposal


def _decided(status: ProposalStatus, deciding: Deciding) -> dict[str, Any]:
    return {
        "status": status,
        "decided_at": deciding.at,
        "decided_by": deciding.user,
        "decision_reason": deciding.reason,
    }
