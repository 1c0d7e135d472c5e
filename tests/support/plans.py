"""How the server found the documents of what was asked of it, read from its own profile."""

from collections.abc import Awaitable, Callable
from typing import Any

from shared.store.mongo import Mongo

Query = Callable[[Mongo], Awaitable[Any]]


def is_indexed(plan: str) -> bool:
    """Tell whether nothing but what an index names was read."""
    return plan.startswith(("IXSCAN", "IDHACK", "COUNT_SCAN", "DISTINCT_SCAN")) and "COLLSCAN" not in plan


async def plan_of(mongo: Mongo, query: Query) -> list[str]:
    """Return how the server found the documents of every command that the call sent."""
    database = mongo.database
    await database.command("profile", 0)
    await database["system.profile"].drop()
    await database.command("profile", 2)
    await query(mongo)
    await database.command("profile", 0)
    # A command with several updates is profiled as a whole and once for each; the whole has no plan of its own.
    profiled = database["system.profile"].find(
        {"planSummary": {"$exists": True}, "ns": {"$not": {"$regex": "profile"}}}
    )
    return [each["planSummary"] async for each in profiled]
