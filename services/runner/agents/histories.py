"""Reads the history of a run's user, each part of it once, as a step."""

from dataclasses import dataclass, field
from typing import Any

from contracts.queries import Query, QueryScope
from contracts.registry import PLATFORM_TYPES
from services.runner.agents.history import MOST_EVENTS, history_text, is_of_session
from services.runner.recorder import Step
from services.runner.work import Attempt
from shared.errors import Permanent
from shared.store.events import EventStore


class SessionUnknown(Permanent):
    """A query asks about the session of the run, and neither its event nor its target names one."""

    code = "session_unknown"


@dataclass(slots=True)
class Histories:
    """What happened around the user of one attempt: in its project, or in all of them when the run names none."""

    events: EventStore
    attempt: Attempt
    _read: dict[tuple[str, int | None], str] = field(default_factory=dict)

    async def of(self, query: Query) -> str:
        """Return the history that a query is about, as text; raises SessionUnknown."""
        limit = query.recent_limit if query.scope is QueryScope.RECENT else None
        key = (query.scope.value, limit)
        if key not in self._read:
            self._read[key] = await self._as_step(query.scope, limit)
        return self._read[key]

    async def _as_step(self, scope: QueryScope, limit: int | None) -> str:
        session = self._session() if scope is QueryScope.SESSION else None

        async def read(_: Step) -> dict[str, Any]:
            return {"text": await self._text(limit, session)}

        request = {"scope": scope.value, "limit": limit, "session": session}
        text: str = (await self.attempt.steps.step("memory_read", "history", request, read))["text"]
        return text

    async def _text(self, limit: int | None, session: str | None) -> str:
        run = self.attempt.run
        query: dict[str, Any] = {"organisation": run["organisation"], "user": run["user"]}
        query |= {} if run["project"] is None else {"project": run["project"]}
        query["type"] = {"$nin": sorted(PLATFORM_TYPES)}
        found = await self.events.recent(query, MOST_EVENTS if limit is None else min(limit, MOST_EVENTS))
        has_more = limit is None and len(found) == MOST_EVENTS
        told = found if session is None else [event for event in found if is_of_session(event, session)]
        return history_text(told, limit, has_more=has_more)

    def _session(self) -> str:
        data, target = self.attempt.event.get("data"), self.attempt.run["target"]
        named = data.get("session_id") if isinstance(data, dict) else None
        if isinstance(named, str):
            return named
        if target["type"] == "session":
            return str(target["id"])
        raise SessionUnknown(
            "The scope 'session' needs an event with a session_id, or the target 'session'; this run has neither."
            " Use the scope 'recent', or a trigger on sessions."
        )
