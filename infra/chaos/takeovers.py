"""How soon the runs of runners that were killed run elsewhere, by the database's clock."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final

from shared.errors import StorageUnavailable
from shared.store.mongo import Database, Document, storage_errors

_POLL_SECONDS: Final = 0.05
_GIVE_UP_SECONDS: Final = 120.0
_FIELDS: Final = {"attempt": 1, "status": 1, "changed_at": 1}


@dataclass(slots=True)
class TakeOvers:
    """Watches the runs of killed runners; `seconds` holds the time from the kill to the new claim of each run."""

    database: Database
    seconds: list[float] = field(default_factory=list)

    async def watch(self, owner: str, killed_at: float) -> list[float]:
        """Return the times of all runs that `owner` held when it was killed, as soon as the last is claimed again.

        What is not claimed again in two minutes counts with the time until then.
        """
        held = await self._find({"sweep_at": {"$exists": True}, "owner": owner, "status": "running"})
        waiting = {run["_id"]: run["attempt"] for run in held}
        taken: list[float] = []
        try:
            async with asyncio.timeout(_GIVE_UP_SECONDS):
                while waiting:
                    await self._look(waiting, taken, killed_at)
        except TimeoutError:
            taken.extend(time.time() - killed_at for _ in waiting)
        self.seconds.extend(taken)
        return taken

    async def _look(self, waiting: dict[str, int], taken: list[float], killed_at: float) -> None:
        for run in await self._find({"_id": {"$in": list(waiting)}}):
            attempt = waiting[run["_id"]]
            if run["attempt"] > attempt:
                taken.append(_claimed_at(run) - killed_at)
            # With the old attempt it has ended, or is queued on its way to the next claim.
            if run["attempt"] > attempt or run["status"] not in {"running", "queued"}:
                del waiting[run["_id"]]
        await asyncio.sleep(_POLL_SECONDS)

    async def _find(self, query: dict[str, Any]) -> list[Document]:
        while True:
            try:
                with storage_errors():
                    return await self.database["runs"].find(query, _FIELDS).to_list(None)
            except StorageUnavailable:
                await asyncio.sleep(_POLL_SECONDS)


def _claimed_at(run: Document) -> float:
    # Once it has ended, its claim is forgotten; then it was claimed before now.
    return float(run["changed_at"].timestamp()) if run["status"] == "running" else time.time()
