"""Replays: a record of what is replayed on which version, and its runs, which are runs like any other."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from contracts.agents import AgentSpec
from contracts.lanes import Lane
from shared.domain.decision import Target
from shared.domain.replaying import MOST_RUNS, REPLAYED_FROM, NewReplay, replay_document, replayed_run_id
from shared.domain.run import RunStatus, Waiting
from shared.domain.slot import OwnLimits
from shared.store.mongo import Collection, Document, Mongo, storage_errors
from shared.store.run_documents import NewRun, run_document, waiting_document
from shared.store.run_ends import Cancel
from shared.store.runs import RunStore
from shared.store.transaction import Transaction

INDEXES = [
    IndexModel(
        [("organisation", ASCENDING), ("agent_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)],
        name="of_agent",
    )
]
OF_REPLAY = "of_replay"
_IS_REPLAY: Document = {"replay.id": {"$exists": True}}
RUN_INDEXES = [
    IndexModel([("replay.id", ASCENDING)], name=OF_REPLAY, partialFilterExpression=_IS_REPLAY),
    IndexModel(
        [("organisation", ASCENDING), ("status", ASCENDING), ("user", ASCENDING), ("changed_at", DESCENDING)],
        name="replays_by_user",
        partialFilterExpression=_IS_REPLAY,
    ),
]
_READS = ("memory_read", "tool_call")


class ReplayStore:
    """The `replays` collection, and the runs that belong to one."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._replays: Collection = mongo.database["replays"]
        self._runs: Collection = mongo.database["runs"]
        self._steps: Collection = mongo.database["steps"]

    async def originals(
        self, organisation: str, agent_id: str, limit: int | None, version: int | None, ids: Sequence[str] | None
    ) -> list[Document]:
        """Return runs of this Agent that completed or failed: those of the ids, or the latest so many of the version."""
        pinned: list[Any] = [re.compile(f"^{re.escape(agent_id)}:")]
        if "/" not in agent_id:
            # Before organisations had Agents, a run named the key only.
            pinned.append(None)
        query: Document = {
            "organisation": organisation,
            "agent_key": agent_id.rpartition("/")[2],
            "agent_version_id": {"$in": pinned},
            "status": {"$in": [RunStatus.COMPLETED, RunStatus.FAILED]},
            "replay": None,
        }
        query |= {} if version is None else {"agent_version": version}
        query |= {} if ids is None else {"_id": {"$in": list(ids)}}
        return await RunStore(self._mongo.database).find(query, limit or MOST_RUNS)

    async def start(self, replay: NewReplay, spec: AgentSpec, originals: Sequence[Document]) -> Document:
        """Store the replay with all its runs, in one; the sweep has them admitted and dispatched.

        Return it as it is stored; when there is one of this id, that one, and nothing is changed.
        """
        document = replay_document(replay, [original["_id"] for original in originals])
        runs = [_run(replay, spec, original) for original in originals]

        def store(within: Transaction) -> None:
            within["replays"].insert_one(document)
            within["runs"].insert_many(runs)

        try:
            await self._mongo.transaction(store)
        except DuplicateKeyError:
            with storage_errors():
                return await self._replays.find_one({"_id": replay.id}) or document
        return document

    async def get(self, id: str, organisation: str, agent_key: str) -> Document | None:
        """Return a replay of this organisation and Agent."""
        query = {"_id": id, "organisation": organisation, "agent_key": agent_key}
        with storage_errors():
            return await self._replays.find_one(query)

    async def find(self, query: Document, limit: int) -> list[Document]:
        """Return replays that match, the latest first, without what they run."""
        with storage_errors():
            found = self._replays.find(query, {"draft_json": 0})
            return await found.sort([("created_at", DESCENDING), ("_id", DESCENDING)]).limit(limit).to_list(limit)

    async def progress(self, ids: Sequence[str]) -> dict[str, Counter[str]]:
        """Return how many runs of each replay have which status."""
        group = {"_id": {"replay": "$replay.id", "status": "$status"}, "runs": {"$sum": 1}}
        counted: dict[str, Counter[str]] = defaultdict(Counter)
        stages: list[Document] = [{"$match": {"replay.id": {"$in": list(ids)}}}, {"$group": group}]
        with storage_errors():
            async for each in self._runs.aggregate(stages, hint=OF_REPLAY):
                counted[each["_id"]["replay"]][each["_id"]["status"]] = each["runs"]
        return counted

    async def fresh_reads(self, run_ids: Sequence[str]) -> dict[str, int]:
        """Return how often each of these runs read what its original had not read."""
        fresh = {
            "run_id": {"$in": list(run_ids)},
            "kind": {"$in": _READS},
            "finished_at": {"$ne": None},
            f"facts.{REPLAYED_FROM}": None,
        }
        stages: list[Document] = [{"$match": fresh}, {"$group": {"_id": "$run_id", "reads": {"$sum": 1}}}]
        with storage_errors():
            return {each["_id"]: each["reads"] async for each in self._steps.aggregate(stages)}

    async def proposals_of(self, run_ids: Sequence[str]) -> list[Document]:
        """Return what tells apart the proposals of these runs, and what was decided about them."""
        fields = {"run_id": 1, "kind": 1, "change": 1, "status": 1}
        with storage_errors():
            return (
                await self._mongo.database["proposals"].find({"run_id": {"$in": list(run_ids)}}, fields).to_list(None)
            )

    async def note_cancel(self, id: str, cancel: Cancel) -> None:
        """Note who wanted a replay to end; the first wish stands."""
        with storage_errors():
            await self._replays.update_one({"_id": id, "cancel": None}, {"$set": {"cancel": cancel.document()}})


def _run(replay: NewReplay, spec: AgentSpec, original: Document) -> Document:
    """Return a run for what the original was for. It takes no place on the target, since it changes nothing there."""
    run = NewRun(
        id=replayed_run_id(replay.id, original["_id"]),
        **{name: original[name] for name in _AS_THE_ORIGINAL},
        agent_version=replay.agent_version,
        agent_version_id=replay.agent_version_id,
        target=Target(**original["target"]),
        lane=Lane.LOW,
        queued_at=replay.created_at,
        own_limits=OwnLimits(per_agent=spec.max_concurrent_tasks),
        waiting_for=waiting_document(Waiting.DELAY, replay.created_at, until=replay.created_at, detail="replay"),
        run_timeout_seconds=spec.run_timeout_seconds,
    )
    return {**run_document(run), "replay": {"id": replay.id, "of": original["_id"]}}


_AS_THE_ORIGINAL = ("event_key", "event_id", "event_type", "organisation", "project", "user", "agent_key")
