"""The versions of memory blocks, and the new ones that people write by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pymongo import DESCENDING

from shared.domain.memory import Action, with_text
from shared.errors import Conflict, NotFound
from shared.store.memory import Author, Cause, MemoryBlock, MemoryStore, block_of
from shared.store.mongo import Collection, Document, Mongo, storage_errors
from shared.store.transaction import Transaction


class MemoryChanged(Conflict):
    """The block was changed after whoever writes it had read it."""

    code = "memory_changed"


@dataclass(frozen=True, slots=True)
class Writing:
    """Who writes a block by hand, when, why, and which version he had before him; None means whichever is there."""

    user: str
    at: datetime
    reason: str | None = None
    base_version: int | None = None


class MemoryHistory:
    """The collection `memory_versions`, and `memory_blocks` as people write them. Blocks are named by their ids."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._memory = MemoryStore(mongo.database)
        self._blocks: Collection = mongo.database["memory_blocks"]
        self._versions: Collection = mongo.database["memory_versions"]

    async def block(self, organisation: str, block_id: str) -> MemoryBlock:
        """Return a block of this organisation as it is now, or raise NotFound."""
        with storage_errors():
            return _block(await self._blocks.find_one({"_id": block_id, "organisation": organisation}))

    async def version(self, block_id: str, number: int) -> Document:
        """Return one version as it is stored, or raise NotFound; number 0 is the block before anybody wrote it."""
        with storage_errors():
            return _version(block_id, number, await self._versions.find_one({"block_id": block_id, "version": number}))

    async def page(self, block_id: str, before: int | None, limit: int) -> list[Document]:
        """Return versions, the newest first, from the one before `before` on."""
        query: Document = {"block_id": block_id}
        if before is not None:
            query["version"] = {"$lt": before}
        with storage_errors():
            return await self._versions.find(query).sort("version", DESCENDING).limit(limit).to_list(limit)

    async def begin(self, block: MemoryBlock, texts: Mapping[str, str], writing: Writing) -> MemoryBlock:
        """Write the first version of a block that nobody has written yet. Raises MemoryChanged when somebody has."""
        first = replace(writing, base_version=0)

        def work(within: Transaction) -> MemoryBlock:
            current = self._memory.block(within, block.organisation, block.owner, block.label)
            if current.version != first.base_version:
                raise _changed(within, current, texts, first)
            fields = {field: text for field, text in texts.items() if text}
            return self._write(within, current, fields, first, Cause(Action.EDITED, writing.reason))

        return await self._mongo.transaction(work)

    async def edit(self, block: MemoryBlock, texts: Mapping[str, str], writing: Writing) -> MemoryBlock:
        """Write a version with these texts in these fields; an empty one removes its field. Raises MemoryChanged."""

        def work(within: Transaction) -> MemoryBlock:
            current = _block_within(within, block)
            if writing.base_version not in (None, current.version):
                raise _changed(within, current, texts, writing)
            fields = current.fields
            for field, text in texts.items():
                fields = with_text(fields, field, text)
            return self._write(within, current, fields, writing, Cause(Action.EDITED, writing.reason))

        return await self._mongo.transaction(work)

    async def restore(self, block: MemoryBlock, number: int, writing: Writing) -> MemoryBlock:
        """Write a version that equals an earlier one. Raises NotFound, or MemoryChanged."""

        def work(within: Transaction) -> MemoryBlock:
            current = _block_within(within, block)
            fields: dict[str, str] = version_within(within, block.id, number)["fields"]
            if writing.base_version not in (None, current.version):
                raise _changed(within, current, fields, writing)
            cause = Cause(Action.RESTORED, writing.reason, restored_version=number)
            return self._write(within, current, fields, writing, cause)

        return await self._mongo.transaction(work)

    def _write(
        self, within: Transaction, current: MemoryBlock, fields: dict[str, str], writing: Writing, cause: Cause
    ) -> MemoryBlock:
        version = self._memory.write(within, current, fields, Author(writing.user), writing.at, cause)
        return MemoryBlock(
            current.organisation, current.owner, current.label, fields, version, writing.at, writing.user
        )


def version_within(within: Transaction, block_id: str, number: int) -> Document:
    """Return one version as a transaction sees it, or raise NotFound; number 0 is the block before anybody wrote it."""
    return _version(block_id, number, within["memory_versions"].find_one({"block_id": block_id, "version": number}))


def _block_within(within: Transaction, block: MemoryBlock) -> MemoryBlock:
    return _block(within["memory_blocks"].find_one({"_id": block.id, "organisation": block.organisation}))


def _block(found: Document | None) -> MemoryBlock:
    if found is None:
        raise NotFound("There is no such memory block, or it is not yours to see.")
    return block_of(found)


def _version(block_id: str, number: int, found: Document | None) -> Document:
    if number == 0:
        return {"block_id": block_id, "version": 0, "fields": {}}
    if found is None:
        raise NotFound(f"The block has no version {number}.")
    return found


def _changed(within: Transaction, current: MemoryBlock, proposed: Mapping[str, str], writing: Writing) -> MemoryChanged:
    seen = version_within(within, current.id, writing.base_version or 0)["fields"]
    return MemoryChanged(
        f"Block '{current.label}' is at version {current.version}, not {writing.base_version} any more."
        " Compare the three texts of each field, and write again on the newer version.",
        base={name: seen.get(name, "") for name in proposed},
        current={name: current.fields.get(name, "") for name in proposed},
        proposed=dict(proposed),
        version=current.version,
    )
