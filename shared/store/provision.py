"""Creates the indexes that the queries of the stores need; doing it again changes nothing."""

from pymongo import IndexModel

from shared.store import bindings, events, memory, proposals, runs, schedules, steps
from shared.store.mongo import Database, storage_errors

INDEXES: dict[str, list[IndexModel]] = {
    "events": events.INDEXES,
    "runs": runs.INDEXES,
    "steps": steps.INDEXES,
    "bindings": bindings.INDEXES,
    "schedules": schedules.INDEXES,
    "memory_blocks": memory.INDEXES,
    "memory_versions": memory.VERSION_INDEXES,
    "proposals": proposals.INDEXES,
}


async def provision_store(database: Database) -> None:
    """Create every collection's indexes."""
    with storage_errors():
        for collection, indexes in INDEXES.items():
            await database[collection].create_indexes(indexes)
