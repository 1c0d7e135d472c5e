"""Which runs of an Agent are open for a user in a project: what a fire may have to wait for or take the place of."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from shared.domain.run import ACTIVE
from shared.store.mongo import Collection as MongoCollection
from shared.store.mongo import storage_errors


@dataclass(frozen=True, slots=True)
class Work:
    """What a schedule has done: the work of one Agent for one user in one project."""

    organisation: str
    project: str | None
    user: str | None
    agent_key: str


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A queued or running run, and the event that started it."""

    id: str
    event_key: str


class OpenRuns:
    """Reads the `runs` collection, along the index `by_user`."""

    _runs: MongoCollection

    async def open_of(self, works: Collection[Work]) -> dict[Work, list[OpenRun]]:
        """Return the open runs of each of these works that has any; those that somebody wants to end are not open."""
        if not works:
            return {}
        query = {"$or": [_query(work) for work in works]}
        fields = {"organisation": 1, "project": 1, "user": 1, "agent_key": 1, "event_key": 1}
        found: dict[Work, list[OpenRun]] = defaultdict(list)
        with storage_errors():
            async for run in self._runs.find(query, fields):
                work = Work(run["organisation"], run["project"], run["user"], run["agent_key"])
                found[work].append(OpenRun(run["_id"], run["event_key"]))
        return dict(found)


def _query(work: Work) -> dict[str, object]:
    return {
        "organisation": work.organisation,
        "user": work.user,
        "status": {"$in": sorted(ACTIVE)},
        "project": work.project,
        "agent_key": work.agent_key,
        "cancel": None,
        "replay": None,
        "batch": None,
    }
