"""Bodies that are too large for the document they belong to: compressed, in parts, named by what is in them."""

import asyncio
import gzip
from hashlib import blake2b

from pymongo import ASCENDING, IndexModel

from shared.errors import NotFound
from shared.store.mongo import Collection, Database, Document, insert_new, storage_errors

INDEXES = [IndexModel([("run_id", ASCENDING)], name="by_run")]

_PART_BYTES = 8_000_000
"""Half of what the server takes as one document."""
_COMPRESSION = 5


class BodyStore:
    """The `bodies` collection. A body belongs to a run and goes with it."""

    def __init__(self, database: Database) -> None:
        self._bodies: Collection = database["bodies"]

    async def put(self, run_id: str, name: str, json: str) -> str:
        """Keep a text of any size and return the reference to it; keeping the same one again changes nothing."""
        reference = f"{run_id}:{name}:{blake2b(json.encode(), digest_size=16).hexdigest()}"
        for part in await asyncio.to_thread(_parts, reference, run_id, json):
            # One at a time, so that each write is small enough for the time that one may take.
            await insert_new(self._bodies, [part])
        return reference

    async def get(self, reference: str) -> str:
        """Return the text; raises NotFound when it, or a part of it, is not there."""
        with storage_errors():
            cursor = self._bodies.find({"_id": {"$gte": f"{reference}:", "$lt": f"{reference};"}}).sort(
                "_id", ASCENDING
            )
            parts = await cursor.to_list(None)
        if not parts or len(parts) != parts[0]["parts"]:
            raise NotFound(f"Body '{reference}' is not stored any more, or not as a whole.")
        return await asyncio.to_thread(_joined, parts)


def _parts(reference: str, run_id: str, json: str) -> list[Document]:
    # Without the time of compression, so that the same text always has the same parts.
    packed = gzip.compress(json.encode(), _COMPRESSION, mtime=0)
    starts = range(0, len(packed), _PART_BYTES)
    return [
        {
            "_id": f"{reference}:{number:06}",
            "run_id": run_id,
            "part": number,
            "parts": len(starts),
            "data": packed[start : start + _PART_BYTES],
        }
        for number, start in enumerate(starts)
    ]


def _joined(parts: list[Document]) -> str:
    return gzip.decompress(b"".join(part["data"] for part in parts)).decode()
