"""Dead letters: each once, counted up when the same thing happens again, and decided by a person."""

import base64
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from shared.domain.dead_letter import DeadLetter, DeadLetterKind, DeadLetterStatus
from shared.errors import NotFound
from shared.store.deciding import Deciding
from shared.store.mongo import Collection, Database, Document, storage_errors
from shared.store.transaction import Transaction

_LATEST_FIRST = [("last_at", DESCENDING), ("_id", DESCENDING)]
_OLDEST_FIRST = [("last_at", ASCENDING), ("_id", ASCENDING)]
INDEXES = [
    IndexModel([("status", ASCENDING), *_LATEST_FIRST], name="by_status"),
    IndexModel([("organisation", ASCENDING), ("status", ASCENDING), *_LATEST_FIRST], name="by_organisation"),
    IndexModel([("kind", ASCENDING), ("status", ASCENDING)], name="to_count"),
    IndexModel([("expires_at", ASCENDING)], name="to_delete", expireAfterSeconds=0),
]

SCHEMA_VERSION = 1
KEPT_FOR = timedelta(days=30)
"""After it happened last, or was decided. An accepted event has no other place to wait, so its open letter stays."""
TOTALS = "dead_letters"
"""The document of the collection `health` that counts what was ever kept and decided."""


class DeadLetterStore:
    """The `dead_letters` collection."""

    def __init__(self, database: Database) -> None:
        self._letters: Collection = database["dead_letters"]
        self._health: Collection = database["health"]

    async def keep(self, letters: Iterable[DeadLetter]) -> None:
        """Keep what died, open for a decision.

        A message counts up each time. A run counts up when it was redriven since, because the same end is followed
        more than once.
        """
        kept: dict[str, int] = {}
        for kind, writes in _by_kind((letter.kind, _keeping(letter)) for letter in letters).items():
            with storage_errors():
                result = await self._letters.bulk_write(writes)
            kept[kind] = result.modified_count + result.upserted_count
        await self._count("kept", kept)

    def keep_within(self, within: Transaction, letter: DeadLetter) -> None:
        """Keep one in a transaction, as `keep` does."""
        result = within["dead_letters"].bulk_write([_keeping(letter)])
        kept = {letter.kind.value: result.modified_count + result.upserted_count}
        within["health"].update_one({"_id": TOTALS}, {"$inc": _counts("kept", kept)}, upsert=True)

    async def decide(self, seen: Iterable[Document], status: DeadLetterStatus, deciding: Deciding) -> int:
        """Decide the letters that nobody has decided since they were seen; return how many that were.

        A letter whose message or run died again meanwhile stays open; that it was redriven is counted all the same.
        """
        decided: dict[str, int] = {}
        writes_by_kind = _by_kind((letter["kind"], _deciding(letter, status, deciding)) for letter in seen)
        for kind, writes in writes_by_kind.items():
            with storage_errors():
                decided[kind] = (await self._letters.bulk_write(writes, ordered=False)).modified_count
        await self._count(status, decided)
        return sum(decided.values())

    async def find(self, query: Document, limit: int, *, oldest_first: bool = False) -> list[Document]:
        """Return letters that match, without their payloads; the latest first, unless asked otherwise."""
        order = _OLDEST_FIRST if oldest_first else _LATEST_FIRST
        with storage_errors():
            return await self._letters.find(query, {"payload": 0}).sort(order).limit(limit).to_list(limit)

    async def get(self, query: Document) -> Document:
        """Return the letter that matches, whole, or raise NotFound."""
        with storage_errors():
            found = await self._letters.find_one(query)
        if found is None:
            raise NotFound("There is no such dead letter, or it is not yours to see.")
        return found

    async def _count(self, what: str, by_kind: Mapping[str, int]) -> None:
        counts = _counts(what, by_kind)
        if any(counts.values()):
            with storage_errors():
                await self._health.update_one({"_id": TOTALS}, {"$inc": counts}, upsert=True)


def payload_of(letter: Document) -> bytes | None:
    """Return the message of a stored letter as it came."""
    text: str | None = letter["payload"]
    if text is None:
        return None
    return base64.b64decode(text) if letter["payload_encoding"] == "base64" else text.encode()


def _counts(what: str, by_kind: Mapping[str, int]) -> dict[str, int]:
    return {f"{what}.{kind}": count for kind, count in by_kind.items()}


def _by_kind(writes: Iterable[tuple[str, UpdateOne]]) -> dict[str, list[UpdateOne]]:
    grouped: dict[str, list[UpdateOne]] = {}
    for kind, write in writes:
        grouped.setdefault(kind, []).append(write)
    return grouped


def _keeping(letter: DeadLetter) -> UpdateOne:
    happened = _facts(letter) | {
        "status": DeadLetterStatus.OPEN.value,
        "last_at": letter.at,
        "expires_at": None if letter.is_accepted else letter.at + KEPT_FOR,
        "decided_at": None,
        "decided_by": None,
        "decision_reason": None,
    }
    counted = {
        "first_at": {"$ifNull": ["$first_at", letter.at]},
        "count": {"$add": [{"$ifNull": ["$count", 0]}, 1]},
        "redriven": {"$ifNull": ["$redriven", 0]},
    }
    # A literal, because a text that begins with a dollar sign would be read as the name of a field.
    opened = {"$mergeObjects": ["$$ROOT", {"$literal": happened}, counted]}
    if letter.kind is DeadLetterKind.EVENT:
        return UpdateOne({"_id": letter.id}, [{"$replaceWith": opened}], upsert=True)
    is_news = {"$lt": [{"$ifNull": ["$generation", -1]}, letter.generation]}
    return UpdateOne({"_id": letter.id}, [{"$replaceWith": {"$cond": [is_news, opened, "$$ROOT"]}}], upsert=True)


def _facts(letter: DeadLetter) -> dict[str, Any]:
    payload, encoding = _text(letter.payload)
    return {
        "schema": SCHEMA_VERSION,
        "kind": letter.kind.value,
        "code": letter.code,
        "reason": letter.reason,
        "subject": letter.subject,
        "payload": payload,
        "payload_encoding": encoding,
        "event_key": letter.event_key,
        "is_accepted": letter.is_accepted,
        "run_id": letter.run_id,
        "generation": letter.generation,
        "organisation": letter.organisation,
        "agent_key": letter.agent_key,
    }


def _text(payload: bytes | None) -> tuple[str | None, str | None]:
    if payload is None:
        return None, None
    try:
        return payload.decode(), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(payload).decode(), "base64"


def _deciding(letter: Document, status: DeadLetterStatus, deciding: Deciding) -> UpdateOne:
    decided = {
        "status": status.value,
        "decided_at": deciding.at,
        "decided_by": deciding.user,
        "decision_reason": deciding.reason,
        "expires_at": deciding.at + KEPT_FOR,
    }
    undecided = {"_id": letter["_id"], "redriven": letter["redriven"]}
    if status is DeadLetterStatus.DISCARDED:
        return UpdateOne({**undecided, "status": DeadLetterStatus.OPEN, "count": letter["count"]}, {"$set": decided})
    as_seen = {"$and": [{"$eq": ["$status", DeadLetterStatus.OPEN.value]}, {"$eq": ["$count", letter["count"]]}]}
    redriven = {"$mergeObjects": ["$$ROOT", {"$literal": decided}]}
    counted = {"redriven": {"$add": ["$redriven", 1]}}
    return UpdateOne(undecided, [{"$replaceWith": {"$cond": [as_seen, redriven, "$$ROOT"]}}, {"$set": counted}])
