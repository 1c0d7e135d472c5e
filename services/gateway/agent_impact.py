"""What a change of an Agent would touch, read from everything that names it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.gateway.state import Gateway
from shared.domain.binding import Binding, ScopeRef
from shared.domain.impact import Cancels, Change, OpenRuns, cancels, dependents
from shared.domain.run import RunStatus
from shared.store.agent_documents import AgentRecord
from shared.store.schedules import ScheduleInForce

Document = dict[str, Any]

_COUNT_AT_MOST = 10_000
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Subject:
    """An Agent with whose runs are meant; `organisation` is that of the caller, who sees ids of no other."""

    agent_key: str
    organisation: str
    query: Document

    @property
    def seen(self) -> Document:
        """The part of what is meant that the caller may see one by one."""
        return {"$and": [self.query, {"organisation": self.organisation}]}


@dataclass(frozen=True, slots=True)
class Impact:
    """How much there is of each kind, which stops counting at 10,000, and the first few of it that the caller may see."""

    runs: OpenRuns
    queued_ids: list[str]
    running_ids: list[str]
    schedules: int
    next_schedules: list[ScheduleInForce]
    bindings: int
    first_bindings: list[Binding]
    dependents: list[str]
    cancels: Cancels

    @property
    def next_fire_at(self) -> datetime | None:
        return self.next_schedules[0].next_due_at if self.next_schedules else None


async def governed(gateway: Gateway, agent: AgentRecord, organisation: str) -> Subject:
    """Return what the status of the Agent holds for: what its key means where no other Agent hides it; no replays."""
    whose: object = agent.organisation
    if not agent.organisation:
        whose = {"$nin": await gateway.agent_records.overriding(agent.key)}
    return Subject(agent.key, organisation, {"organisation": whose, "agent_key": agent.key, "replay": None})


def bound(agent_key: str, at: ScopeRef, organisation: str) -> Subject:
    """Return what a binding of this scope holds for."""
    query: Document = {"agent_key": agent_key}
    if at.id:
        query["organisation"] = organisation
        if at.scope in {"project", "user"}:
            query[at.scope.value] = at.id
    return Subject(agent_key, organisation, query)


async def impact_of(gateway: Gateway, subject: Subject, change: Change) -> Impact:
    """Return what the change would touch now."""
    runs = await open_runs(gateway, subject)
    schedules = await gateway.schedules.count(subject.query)
    bindings = await gateway.bindings.find(_naming(subject))
    shown = [each for each in bindings if each.organisation in {"", subject.organisation}]
    published = await gateway.agents.published()
    specs = [each.spec for each in published if each.organisation in {"", subject.organisation}]
    return Impact(
        runs,
        await _ids(gateway, subject, RunStatus.QUEUED),
        await _ids(gateway, subject, RunStatus.RUNNING),
        schedules,
        await gateway.schedules.soonest(subject.seen, _SHOWN),
        len(bindings),
        shown[:_SHOWN],
        dependents(subject.agent_key, specs),
        cancels(change, runs),
    )


async def open_runs(gateway: Gateway, subject: Subject) -> OpenRuns:
    """Count the open runs that nobody has cancelled."""
    queries = [_open(subject.query, status) for status in (RunStatus.QUEUED, RunStatus.RUNNING)]
    return OpenRuns(*await gateway.runs.counts(queries, _COUNT_AT_MOST))


def _open(query: Document, status: RunStatus) -> Document:
    # What is open is due for the sweep, so that index will do where the organisation is not known.
    return {**query, "status": status, "cancel": None, "sweep_at": {"$exists": True}}


async def _ids(gateway: Gateway, subject: Subject, status: RunStatus) -> list[str]:
    return [run["_id"] for run in await gateway.runs.find(_open(subject.seen, status), _SHOWN)]


def _naming(subject: Subject) -> Document:
    """Return the bindings that name the Agent where it is meant; the server's hold everywhere."""
    named: Document = {"agent_key": subject.agent_key}
    if "organisation" in subject.query:
        named["$or"] = [{"organisation": ""}, {"organisation": subject.query["organisation"]}]
    return named
