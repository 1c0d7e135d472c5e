"""The versions of memory blocks, and the new ones that people write by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pymongo import DESCENDING

from shared.domain.memory import Action, with_text
from shared.errors import Conflict, NotFound
from shared.store.memory import Author, Cause, MemoryBlock, MemoryStore, block_of
from shared.store.mongo import Collection, Document, Mongo, TransactionSession, storage_errors


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

    async def block(self, organisation: str, block_id: str, session: TransactionSession | None = None) -> MemoryBlock:
        """Return a block of this organisation as it is now, or raise NotFound."""
        with storage_errors():
            found = await self._blocks.find_one({"_id": block_id, "organisation": organisation}, session=session)
        if found is None:
            raise NotFound("There is no such memory block, or it is not yours to see.")
        return block_of(found)

    async def version(self, block_id: str, number: int, session: TransactionSession | None = None) -> Document:
        """Return one version as it is stored, or raise NotFound; number 0 is the block before anybody wrote it."""
        if number == 0:
            return {"block_id": block_id, "version": 0, "fields": {}}
        with storage_errors():
            found = await self._versions.find_one({"block_id": block_id, "version": number}, session=session)
        if found is None:
            raise NotFound(f"The block has no version {number}.")
        return found

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

        async def work(session: TransactionSession) -> MemoryBlock:
            current = await self._memory.block(block.organisation, block.owner, block.label, session)
            if current.version != first.base_version:
                raise await self._changed(current, texts, first, session)
            fields = {field: text for field, text in texts.items() if text}
            return await self._write(current, fields, first, Cause(Action.EDITED, writing.reason), session)

        return await self._mongo.transaction(work)

    async def edit(self, block: MemoryBlock, texts: Mapping[str, str], writing: Writing) -> MemoryBlock:
        """Write a version with these texts in these fields; an empty one removes its field. Raises MemoryChanged."""

        async def work(session: TransactionSession) -> MemoryBlock:
            current = await self.block(block.organisation, block.id, session)
            if writing.base_version not in (None, current.version):
                raise await self._changed(current, texts, writing, session)
            fields = current.fields
            for field, text in texts.items():
                fields = with_text(fields, field, text)
            return await self._write(current, fields, writing, Cause(Action.EDITED, writing.reason), session)

        return await self._mongo.transaction(work)

    async def restore(self, block: MemoryBlock, number: int, writing: Writing) -> MemoryBlock:
        """Write a version that equals an earlier one. Raises NotFound, or MemoryChanged."""

        async def work(session: TransactionSession) -> MemoryBlock:
            current = await self.block(block.organisation, block.id, session)
            fields: dict[str, str] = (await self.version(block.id, number, session))["fields"]
            if writing.base_version not in (None, current.version):
                raise await self._changed(current, fields, writing, session)
            cause = Cause(Action.RESTORED, writing.reason, restored_version=number)
            return await self._write(current, fields, writing, cause, session)

        return await self._mongo.transaction(work)

    async def _write(
        self, current: MemoryBlock, fields: dict[str, str], writing: Writing, cause: Cause, session: TransactionSession
    ) -> MemoryBlock:
        version = await self._memory.write(current, fields, Author(writing.user), writing.at, session, cause)
        return MemoryBlock(
            current.organisation, current.owner, current.label, fields, version, writing.at, writing.user
        )

    async def _changed(
        self, current: MemoryBlock, proposed: Mapping[str, str], writing: Writing, session: TransactionSession
    ) -> MemoryChanged:
        seen = (await self.version(current.id, writing.base_version or 0, session))["fields"]
        return MemoryChanged(
            f"Block '{current.label}' is at version {current.version}, not {writing.base_version} any more."
            " Compare the three texts of each field, and write again on the newer version.",
            base={name: seen.get(name, "") for name in proposed},
            current={name: current.fields.get(name, "") for name in proposed},
            proposed=dict(proposed),
            version=current.version,
        )
