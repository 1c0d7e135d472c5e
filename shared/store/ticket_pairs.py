"""Pairs of tickets that were judged: neither asked about nor proposed again until one of the two texts changes."""

from collections.abc import Mapping, Sequence

from pymongo import ASCENDING, IndexModel, UpdateOne

from contracts.ids import derived_id
from shared.domain.run import RunStatus
from shared.domain.ticket import JudgedPair, PairKey
from shared.store.mongo import Collection, Database, Document, storage_errors

INDEXES = [
    IndexModel([("organisation", ASCENDING), ("project", ASCENDING)], name="of_project"),
]


class TicketPairStore:
    """The `ticket_pairs` collection.

    A verdict holds once the run that found it has completed: before that, what it proposes may never come to be.
    """

    def __init__(self, database: Database) -> None:
        self._pairs: Collection = database["ticket_pairs"]
        self._runs: Collection = database["runs"]

    async def judged(self, organisation: str, project: str) -> dict[PairKey, JudgedPair]:
        """Return the pairs whose verdicts hold, after forgetting those of runs that came to nothing."""
        whose = {"organisation": organisation, "project": project}
        await self._settle(whose)
        query = {**whose, "unsettled": {"$exists": False}}
        with storage_errors():
            found = [_pair(each) async for each in self._pairs.find(query, {"tickets": 1, "hashes": 1, "verdict": 1})]
        return {pair.tickets: pair for pair in found}

    async def record(self, organisation: str, project: str, run_id: str, pairs: Sequence[JudgedPair]) -> None:
        """Write what a run has found; the same again changes nothing."""
        writes = [
            UpdateOne({"_id": _key(organisation, project, pair.tickets)}, {"$set": fields}, upsert=True)
            for pair in pairs
            for fields in [
                {
                    "organisation": organisation,
                    "project": project,
                    "tickets": list(pair.tickets),
                    "hashes": list(pair.hashes),
                    "verdict": pair.verdict,
                    "run_id": run_id,
                    "unsettled": True,
                }
            ]
        ]
        if writes:
            with storage_errors():
                await self._pairs.bulk_write(writes, ordered=False)

    async def forget(self, organisation: str, project: str, pairs: Sequence[PairKey]) -> None:
        """Delete pairs, such as those of tickets that were closed."""
        with storage_errors():
            await self._pairs.delete_many({"_id": {"$in": [_key(organisation, project, pair) for pair in pairs]}})

    async def _settle(self, whose: Document) -> None:
        """Look what became of the runs whose verdicts were not settled; one that is gone has long ended."""
        unsettled = {**whose, "unsettled": True}
        with storage_errors():
            runs = await self._pairs.distinct("run_id", unsettled)
            found = self._runs.find({"_id": {"$in": runs}}, {"status": 1})
            statuses: Mapping[str, str] = {each["_id"]: each["status"] async for each in found}
            completed = [run for run in runs if statuses.get(run) == RunStatus.COMPLETED]
            open_ = [run for run, status in statuses.items() if status in (RunStatus.QUEUED, RunStatus.RUNNING)]
            nothing = [run for run in runs if run not in completed and run not in open_]
            await self._pairs.update_many({**unsettled, "run_id": {"$in": completed}}, {"$unset": {"unsettled": ""}})
            await self._pairs.delete_many({**unsettled, "run_id": {"$in": nothing}})


def _key(organisation: str, project: str, pair: PairKey) -> str:
    return derived_id("tpr", organisation, project, *pair)


def _pair(document: Document) -> JudgedPair:
    one, other = document["tickets"]
    first, second = document["hashes"]
    return JudgedPair((one, other), (first, second), document["verdict"])
