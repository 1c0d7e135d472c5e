"""Connections of users to Open WebUI, each with what was mirrored lately."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from pymongo import ASCENDING, IndexModel, ReturnDocument

from contracts.ids import derived_id
from shared.domain.run import RunStatus
from shared.store.mongo import Collection, Database, Document, storage_errors

INDEXES = [IndexModel([("due_at", ASCENDING)], name="due", sparse=True)]

LOOK_BACK = timedelta(minutes=10)
"""An end may be written so much later than the moment that it names."""
MOST_KEPT = 300


class ConnectionStatus(StrEnum):
    """How a connection stands. `failed` is left alone until the user tests it or connects again."""

    WAITING = "waiting"
    CONNECTED = "connected"
    RETRYING = "retrying"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Connection:
    """A user's connection; `connected_at` also tells it from a later one of the same user.

    `chats` has the chat of each run that was mirrored lately, by run; None for one that was refused.
    """

    organisation: str
    user: str
    sealed_key: str
    key_hint: str
    status: ConnectionStatus
    connected_at: datetime
    mirrored_until: datetime
    attempts: int = 0
    failure: Document | None = None
    checked_at: datetime | None = None
    chats: Mapping[str, str | None] = field(default_factory=dict)
    known_since: datetime | None = None
    """When there were more chats lately than are noted: the end of the oldest run that is."""

    @property
    def id(self) -> str:
        return connection_id(self.organisation, self.user)

    @property
    def ended_since(self) -> datetime:
        """From which moment on runs are looked for; what ended before the connection is not mirrored."""
        return max(self.connected_at, self.mirrored_until - LOOK_BACK, self.known_since or self.connected_at)


def connection_id(organisation: str, user: str) -> str:
    """Return the id of the only connection of a user."""
    return derived_id("owc", organisation, user)


class OpenWebUIStore:
    """The `open_webui_connections` collection, and the ended runs that are to be mirrored."""

    def __init__(self, database: Database) -> None:
        self._connections: Collection = database["open_webui_connections"]
        self._runs: Collection = database["runs"]

    async def connect(self, organisation: str, user: str, sealed_key: str, key_hint: str, now: datetime) -> Connection:
        """Replace the user's connection by one that is still to be tried."""
        document: Document = {
            "organisation": organisation,
            "user": user,
            "sealed_key": sealed_key,
            "key_hint": key_hint,
            "status": ConnectionStatus.WAITING,
            "connected_at": now,
            "mirrored_until": now,
            "due_at": now,
            "attempts": 0,
            "chats": [],
        }
        with storage_errors():
            await self._connections.replace_one({"_id": connection_id(organisation, user)}, document, upsert=True)
        return _connection(document)

    async def disconnect(self, organisation: str, user: str) -> bool:
        """Delete the user's connection with its key; return whether there was one."""
        with storage_errors():
            result = await self._connections.delete_one({"_id": connection_id(organisation, user)})
        return result.deleted_count == 1

    async def of_user(self, organisation: str, user: str) -> Connection | None:
        """Return the user's connection, if there is one."""
        with storage_errors():
            document = await self._connections.find_one({"_id": connection_id(organisation, user)})
        return None if document is None else _connection(document)

    async def test(self, organisation: str, user: str, now: datetime) -> Connection | None:
        """Have the connection tried at once, also one that has failed; None when there is none."""
        changes = {"status": ConnectionStatus.WAITING, "attempts": 0, "due_at": now}
        with storage_errors():
            document = await self._connections.find_one_and_update(
                {"_id": connection_id(organisation, user)}, {"$set": changes}, return_document=ReturnDocument.AFTER
            )
        return None if document is None else _connection(document)

    async def due(self, now: datetime, limit: int) -> list[Connection]:
        """Return connections that are to be looked after, the longest due first."""
        with storage_errors():
            found = self._connections.find({"due_at": {"$lte": now}}).sort("due_at", ASCENDING).limit(limit)
            return [_connection(document) async for document in found]

    async def take(self, connection: Connection, now: datetime, until: datetime) -> bool:
        """Keep the connection from others until this moment; false when somebody else has it, or it is gone."""
        due = {"_id": connection.id, "connected_at": connection.connected_at, "due_at": {"$lte": now}}
        with storage_errors():
            return (await self._connections.update_one(due, {"$set": {"due_at": until}})).matched_count == 1

    async def to_mirror(self, connection: Connection, limit: int) -> list[Document]:
        """Return ended runs of the user that were not mirrored yet, oldest first; no replays, no batches themselves and nothing cancelled."""
        query: Document = {
            "organisation": connection.organisation,
            "user": connection.user,
            "status": {"$in": [RunStatus.COMPLETED, RunStatus.FAILED]},
            "changed_at": {"$gte": connection.ended_since},
            "finished_at": {"$gte": connection.ended_since},
            "replay": None,
            "batch": None,
            "_id": {"$nin": list(connection.chats)},
        }
        with storage_errors():
            return await self._runs.find(query).sort("finished_at", ASCENDING).limit(limit).to_list(limit)

    async def record(self, connection: Connection, run: Document, chat_id: str | None, until: datetime) -> bool:
        """Note the chat of a run and keep the connection; false when the user has disconnected or connected again."""
        chat = {"run_id": run["_id"], "chat_id": chat_id, "finished_at": run["finished_at"]}
        return await self._change(
            connection,
            {
                "$push": {"chats": {"$each": [chat], "$slice": -MOST_KEPT}},
                "$max": {"mirrored_until": run["finished_at"], "due_at": until},
            },
        )

    async def settle(
        self,
        connection: Connection,
        status: ConnectionStatus,
        now: datetime,
        due_at: datetime | None,
        failure: Document | None,
        attempts: int = 0,
    ) -> bool:
        """Note how it went and when to look again, None for not at all; false as for `record`."""
        changes = {"status": status, "checked_at": now, "failure": failure, "attempts": attempts}
        if due_at is None:
            return await self._change(connection, {"$set": changes, "$unset": {"due_at": ""}})
        return await self._change(connection, {"$set": {**changes, "due_at": due_at}})

    async def _change(self, connection: Connection, change: Document) -> bool:
        same = {"_id": connection.id, "connected_at": connection.connected_at}
        with storage_errors():
            return (await self._connections.update_one(same, change)).matched_count == 1


def _connection(document: Document) -> Connection:
    chats = document["chats"]
    return Connection(
        organisation=document["organisation"],
        user=document["user"],
        sealed_key=document["sealed_key"],
        key_hint=document["key_hint"],
        status=ConnectionStatus(document["status"]),
        connected_at=document["connected_at"],
        mirrored_until=document["mirrored_until"],
        attempts=document["attempts"],
        failure=document.get("failure"),
        checked_at=document.get("checked_at"),
        chats={chat["run_id"]: chat["chat_id"] for chat in chats},
        known_since=min(chat["finished_at"] for chat in chats) if len(chats) >= MOST_KEPT else None,
    )
