"""Messages of sessions, in the order in which they were said; one that waits for the end of a turn has no place yet."""

from collections.abc import Iterable

from pymongo import ASCENDING, DESCENDING, IndexModel

from shared.store.mongo import Collection, Database, Document, insert_new, storage_errors

INDEXES = [
    IndexModel(
        [("session", ASCENDING), ("position", ASCENDING)],
        name="in_order",
        partialFilterExpression={"position": {"$exists": True}},
    ),
    # Only messages that wait for a place are in it.
    IndexModel([("waiting", ASCENDING), ("session", ASCENDING)], name="waiting", sparse=True),
]


class SessionMessages:
    """The `session_messages` collection."""

    def __init__(self, database: Database) -> None:
        self._messages: Collection = database["session_messages"]

    async def add(self, messages: Iterable[Document]) -> None:
        """Add messages that are not there yet, each with its `session` and its `position`, or `waiting` for one."""
        await insert_new(self._messages, list(messages))

    async def waiting(self, limit: int, session: str | None = None) -> list[Document]:
        """Return messages that have no place yet, of all sessions or of one."""
        query: Document = {"waiting": True} if session is None else {"waiting": True, "session": session}
        with storage_errors():
            return await self._messages.find(query).hint("waiting").limit(limit).to_list(limit)

    async def place(self, message_id: str, position: int) -> None:
        """Give a message its place."""
        with storage_errors():
            await self._messages.update_one(
                {"_id": message_id}, {"$set": {"position": position}, "$unset": {"waiting": ""}}
            )

    async def page(self, session: str, after: int, limit: int) -> list[Document]:
        """Return the messages that follow on a position, the first said first."""
        query = {"session": session, "position": {"$gt": after}}
        with storage_errors():
            return await self._messages.find(query).sort("position", ASCENDING).limit(limit).to_list(limit)

    async def latest(self, session: str, limit: int) -> list[Document]:
        """Return the messages that were said last, the first said first."""
        query = {"session": session, "position": {"$gte": 0}}
        with storage_errors():
            found = await self._messages.find(query).sort("position", DESCENDING).limit(limit).to_list(limit)
        return found[::-1]

    async def drop(self, message_id: str) -> None:
        """Delete one message."""
        with storage_errors():
            await self._messages.delete_one({"_id": message_id})

    async def delete(self, session: str) -> None:
        """Delete all messages of a session that have a place."""
        with storage_errors():
            await self._messages.delete_many({"session": session, "position": {"$gte": 0}})
