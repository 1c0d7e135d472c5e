"""Memory blocks, and every version that each of them ever had."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from contracts.agents import MemoryOwner
from shared.domain.memory import Action, Owner, block_id
from shared.store.mongo import Collection, Database, Document, storage_errors
from shared.store.transaction import Transaction

INDEXES = [
    IndexModel(
        [("organisation", ASCENDING), ("owner.type", ASCENDING), ("owner.id", ASCENDING), ("label", ASCENDING)],
        name="by_owner",
    )
]
VERSION_INDEXES = [IndexModel([("block_id", ASCENDING), ("version", DESCENDING)], name="by_block", unique=True)]


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a version of a block: a person, alone or by approving a proposal of an Agent's run."""

    user: str
    agent_key: str | None = None
    run_id: str | None = None
    proposal_id: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What made a version, why, and which proposal was undone or which version restored by it."""

    action: Action = Action.APPROVED
    reason: str | None = None
    undone_proposal_id: str | None = None
    restored_version: int | None = None


@dataclass(frozen=True, slots=True)
class MemoryBlock:
    """One labelled block as it is now; version 0 is a block that nobody has written yet."""

    organisation: str
    owner: Owner
    label: str
    fields: dict[str, str]
    version: int
    updated_at: datetime | None = None
    updated_by: str | None = None

    @property
    def id(self) -> str:
        return block_id(self.organisation, self.owner, self.label)


class MemoryStore:
    """The `memory_blocks` collection, and `memory_versions` beside it. What is written is part of a transaction."""

    def __init__(self, database: Database) -> None:
        self._blocks: Collection = database["memory_blocks"]

    async def of_owners(self, organisation: str, owners: list[Owner], label: str | None = None) -> list[MemoryBlock]:
        """Return the blocks of these owners, by label."""
        if not owners:
            return []
        query: Document = {
            "organisation": organisation,
            "$or": [{"owner.type": owner.type, "owner.id": owner.id} for owner in owners],
        }
        if label is not None:
            query["label"] = label
        with storage_errors():
            return [block_of(document) async for document in self._blocks.find(query).sort("label", ASCENDING)]

    def block(self, within: Transaction, organisation: str, owner: Owner, label: str) -> MemoryBlock:
        """Return a block as a transaction sees it; one that nobody has written is empty, at version 0."""
        document = within["memory_blocks"].find_one({"_id": block_id(organisation, owner, label)})
        return MemoryBlock(organisation, owner, label, {}, 0) if document is None else block_of(document)

    def write(
        self,
        within: Transaction,
        block: MemoryBlock,
        fields: dict[str, str],
        author: Author,
        now: datetime,
        cause: Cause = Cause(),
    ) -> int:
        """Write the block's next version and keep it in the history, in a transaction; return its number."""
        version = block.version + 1
        content: dict[str, Any] = {
            "organisation": block.organisation,
            "owner": {"type": block.owner.type, "id": block.owner.id},
            "label": block.label,
            "fields": fields,
            "version": version,
        }
        written = {"at": now, "author": asdict(author), **asdict(cause)}
        within["memory_versions"].insert_one(
            {"_id": f"{block.id}:{version}", "block_id": block.id, **content, **written}
        )
        current = {"_id": block.id, **content, "updated_at": now, "updated_by": author.user}
        within["memory_blocks"].replace_one({"_id": block.id}, current, upsert=True)
        return version


def block_of(document: Document) -> MemoryBlock:
    """Return a block as it is stored."""
    return MemoryBlock(
        organisation=document["organisation"],
        owner=Owner(MemoryOwner(document["owner"]["type"]), document["owner"]["id"]),
        label=document["label"],
        fields=document["fields"],
        version=document["version"],
        updated_at=document["updated_at"],
        updated_by=document["updated_by"],
    )
