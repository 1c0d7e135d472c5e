"""Asks the servers and the kernel how much there is."""

from collections.abc import Mapping
from typing import Final

import nats

from infra.bench.processes import resident_mebibytes
from infra.soak.figures import Day, Kind, Quantity
from shared.store.mongo import Database

_MEBIBYTE: Final = 1_024 * 1_024
_ALL: Final = "all collections"


async def measure(database: Database, nats_url: str, pids: Mapping[str, int]) -> Day:
    """Return everything that could grow, as it is now."""
    memory = {Quantity(Kind.MEMORY, name): resident_mebibytes(pid) for name, pid in pids.items()}
    return {**await _of_collections(database), **await _of_streams(nats_url), **memory}


async def _of_collections(database: Database) -> dict[Quantity, float]:
    # Space in files is used again after a checkpoint. There is one every minute, of which a short day may have none.
    await database.client.admin.command("fsync")
    found: dict[Quantity, float] = {}
    for name in sorted(await database.list_collection_names()):
        if not name.startswith("system."):
            stats = await database.command("collStats", name)
            found[Quantity(Kind.DOCUMENTS, name)] = stats["count"]
            found[Quantity(Kind.DATA, name)] = stats["size"] / _MEBIBYTE
    stats = await database.command("dbStats")
    found[Quantity(Kind.DATA, _ALL)] = stats["dataSize"] / _MEBIBYTE
    found[Quantity(Kind.DISK, _ALL)] = (stats["storageSize"] + stats["indexSize"]) / _MEBIBYTE
    return found


async def _of_streams(url: str) -> dict[Quantity, float]:
    found: dict[Quantity, float] = {}
    client = await nats.connect(url, connect_timeout=2, max_reconnect_attempts=1)
    try:
        for stream in await client.jetstream().streams_info():
            name = str(stream.config.name)
            found[Quantity(Kind.MESSAGES, name)] = stream.state.messages
            found[Quantity(Kind.STREAM, name)] = stream.state.bytes / _MEBIBYTE
    finally:
        await client.close()
    return found
