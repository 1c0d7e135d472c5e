"""Reading many proposals: pages of them, newest first, and how many there are of each Agent and kind."""

from dataclasses import dataclass

from pymongo import ASCENDING, DESCENDING, IndexModel

from shared.store.mongo import Collection, Database, Document, storage_errors

_ORDER = [("created_at", DESCENDING), ("_id", DESCENDING)]
# What lists are narrowed by stands in the index, too: what does not match is passed over without being fetched.
_NARROWED_BY = [(name, ASCENDING) for name in ("agent_key", "kind", "project", "confidence")]
INDEXES = [
    IndexModel(
        [("organisation", ASCENDING), ("user", ASCENDING), ("status", ASCENDING), *_ORDER, *_NARROWED_BY],
        name="inbox_of_user",
    ),
    IndexModel(
        [("organisation", ASCENDING), ("status", ASCENDING), *_ORDER, *_NARROWED_BY], name="inbox_of_organisation"
    ),
]


@dataclass(frozen=True, slots=True)
class Group:
    """How many proposals of one kind there are of one Agent."""

    agent_key: str
    kind: str
    count: int


class InboxStore:
    """The `proposals` collection, as it is listed."""

    def __init__(self, database: Database) -> None:
        self._proposals: Collection = database["proposals"]

    async def page(self, query: Document, limit: int) -> list[Document]:
        """Return proposals that match, newest first."""
        with storage_errors():
            return await self._proposals.find(query).sort(_ORDER).limit(limit).to_list(limit)

    async def groups(self, query: Document, at_most: int) -> list[Group]:
        """Count the newest proposals that match, so many at most, by Agent and kind; the largest group comes first."""
        stages: list[Document] = [
            {"$match": query},
            {"$limit": at_most},
            {"$group": {"_id": {"agent_key": "$agent_key", "kind": "$kind"}, "count": {"$sum": 1}}},
            {"$sort": {"count": -1, "_id": 1}},
        ]
        with storage_errors():
            found = await self._proposals.aggregate(stages).to_list(None)
        return [Group(each["_id"]["agent_key"], each["_id"]["kind"], each["count"]) for each in found]
