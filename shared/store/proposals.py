"""Proposals, and the one transaction in which one of them is decided."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from contracts.agents import EffectKind
from shared.domain.proposal import KEPT_FOR, ProposalStatus
from shared.errors import Conflict, NotFound
from shared.store import superseding
from shared.store.approvals import accept_approval
from shared.store.deciding import Deciding
from shared.store.events import EventStore
from shared.store.memory import MemoryStore
from shared.store.memory_changes import Edit, MemoryChanges
from shared.store.mongo import Collection, Document, Mongo, insert_new, storage_errors
from shared.store.superseding import Superseding
from shared.store.transaction import Transaction

INDEXES = [
    IndexModel([("run_id", ASCENDING)], name="by_run"),
    IndexModel([("expires_at", ASCENDING)], name="to_expire", partialFilterExpression={"status": "pending"}),
    *superseding.INDEXES,
]


class ProposalDecided(Conflict):
    """The proposal is not pending any more, or not approved in the way that was asked for."""

    code = "proposal_decided"


class ProposalExpired(Conflict):
    """Nobody decided the proposal in its time."""

    code = "proposal_expired"


class NotUndoable(Conflict):
    """What was approved is not Towpath's to take back."""

    code = "proposal_not_undoable"


class NotEditable(Conflict):
    """The proposal has no text that could be approved in another form."""

    code = "proposal_not_editable"


class ProposalStore:
    """The `proposals` collection. `kept_for` is how long a proposal that says nothing of it waits for its decision."""

    def __init__(self, mongo: Mongo, kept_for: timedelta = KEPT_FOR) -> None:
        self._mongo = mongo
        self._kept_for = kept_for
        self._proposals: Collection = mongo.database["proposals"]
        self._changes = MemoryChanges(MemoryStore(mongo.database))
        self._superseding = Superseding(self._proposals)
        self._events = EventStore(mongo.database)

    async def project(self, proposals: Sequence[Document]) -> None:
        """Add the proposals that are not there yet, and see to what they supersede."""
        new = [
            {**each, "expires_at": each.get("expires_at") or each["created_at"] + self._kept_for} for each in proposals
        ]
        await insert_new(self._proposals, new)
        await self._superseding.settle(new)

    async def find(self, query: Document, limit: int) -> list[Document]:
        """Return proposals that match, newest first."""
        with storage_errors():
            cursor = self._proposals.find(query).sort([("created_at", DESCENDING), ("_id", DESCENDING)]).limit(limit)
            return await cursor.to_list(limit)

    async def get(self, query: Document) -> Document:
        """Return the proposal that matches, or raise NotFound."""
        with storage_errors():
            return _found(await self._proposals.find_one(query))

    async def reject(self, proposal_id: str, deciding: Deciding) -> Document:
        """Reject a pending proposal; rejecting one again is the same, deciding it otherwise raises ProposalDecided."""
        decided = _decided(ProposalStatus.REJECTED, deciding)
        with storage_errors():
            rejected = await self._proposals.find_one_and_update(
                {"_id": proposal_id, "status": ProposalStatus.PENDING},
                {"$set": decided},
                return_document=ReturnDocument.AFTER,
            )
        return rejected or _same(await self.get({"_id": proposal_id}), ProposalStatus.REJECTED)

    async def approve(
        self, proposal_id: str, deciding: Deciding, edit: Edit | None = None, whose: Document | None = None
    ) -> Document:
        """Approve a pending proposal and, in the same transaction, write the block's next version, or for other kinds than
        memory the event that tells the product.

        Approving again is the same answer. Raises ProposalDecided, ProposalExpired, NotEditable, ProposalStale when
        newer text is in the way, or NotFound when it is not among those that are meant by `whose`, a query.
        """
        query = {**(whose or {}), "_id": proposal_id}
        return await self._mongo.transaction(lambda within: self._approve(within, query, deciding, edit))

    async def undo(self, proposal_id: str, deciding: Deciding) -> Document:
        """Write a version of the block without what an approved memory diff had changed; undoing again is the same.

        Raises ProposalDecided when it was not approved, NotUndoable, or UndoConflict when later changes are in the way.
        """
        return await self._mongo.transaction(lambda within: self._undo(within, proposal_id, deciding))

    async def expire(self, now: datetime, limit: int) -> int:
        """End so many of the pending proposals whose time is over; return how many that were."""
        pending = {"status": ProposalStatus.PENDING, "expires_at": {"$lte": now}}
        with storage_errors():
            due = await self._proposals.find(pending, {"_id": 1}).hint("to_expire").limit(limit).to_list(limit)
            if not due:
                return 0
            ids = [each["_id"] for each in due]
            expired = [{"$set": {"status": ProposalStatus.EXPIRED.value, "decided_at": "$expires_at"}}]
            return (await self._proposals.update_many({**pending, "_id": {"$in": ids}}, expired)).modified_count

    def _approve(self, within: Transaction, query: Document, deciding: Deciding, edit: Edit | None) -> Document:
        proposal = _found(within["proposals"].find_one(query))
        if proposal["status"] != ProposalStatus.PENDING:
            return _same(proposal, ProposalStatus.APPROVED, edit)
        if (expires_at := proposal.get("expires_at")) is not None and expires_at <= deciding.at:
            raise _expired(expires_at)
        is_memory = proposal["kind"] == EffectKind.MEMORY_DIFF
        if edit is not None and not is_memory:
            raise NotEditable(f"A proposal of kind '{proposal['kind']}' has no 'proposed_value': approve it as it is.")
        receipt = self._changes.apply(within, proposal, deciding, edit) if is_memory else {}
        approved = _noted(within, proposal, _decided(ProposalStatus.APPROVED, deciding) | receipt)
        accept_approval(within, self._events, approved)
        return approved

    def _undo(self, within: Transaction, proposal_id: str, deciding: Deciding) -> Document:
        proposal = _same(_found(within["proposals"].find_one({"_id": proposal_id})), ProposalStatus.APPROVED)
        if proposal.get("undone_at") is not None:
            return proposal
        if proposal["kind"] != EffectKind.MEMORY_DIFF:
            raise NotUndoable(
                f"A proposal of kind '{proposal['kind']}' is carried out by the product; take it back there."
            )
        return _noted(within, proposal, self._changes.take_back(within, proposal, deciding))


def _found(proposal: Document | None) -> Document:
    if proposal is None:
        raise NotFound("There is no such proposal, or it is not yours to see.")
    return proposal


def _noted(within: Transaction, proposal: Document, changes: Document) -> Document:
    within["proposals"].update_one({"_id": proposal["_id"]}, {"$set": changes})
    return {**proposal, **changes}


def _same(proposal: Document, wanted: ProposalStatus, edit: Edit | None = None) -> Document:
    """Return a proposal that was decided in just this way before, or raise."""
    status = proposal["status"]
    if status == ProposalStatus.EXPIRED:
        raise _expired(proposal["decided_at"])
    if status == ProposalStatus.PENDING:
        raise ProposalDecided(f"This proposal is pending; it has to be {wanted} first.", proposal_status=status)
    if status != wanted:
        by = proposal["decided_by"] or f"proposal {proposal.get('superseded_by')}"
        since = f"{proposal['decided_at']:%Y-%m-%d %H:%M} UTC"
        raise ProposalDecided(
            f"This proposal is {status} since {since} by {by}; it cannot be {wanted}.", proposal_status=status
        )
    if edit is not None and edit.value != proposal.get("applied_value"):
        raise ProposalDecided("This proposal is approved with another text; edit the block instead.")
    return proposal


def _expired(at: datetime) -> ProposalExpired:
    return ProposalExpired(
        f"This proposal has expired at {at:%Y-%m-%d %H:%M} UTC; nothing can be done with it any more."
    )


def _decided(status: ProposalStatus, deciding: Deciding) -> dict[str, Any]:
    return {
        "status": status,
        "decided_at": deciding.at,
        "decided_by": deciding.user,
        "decision_reason": deciding.reason,
    }
