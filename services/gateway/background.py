"""Background Agents, that is those with a schedule: how one stands, and what its names for statuses come to."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from contracts.agent_kinds import AgentStatus
from services.gateway.agent_access import chosen, visibility_of
from services.gateway.agent_problems import AgentInactive
from services.gateway.agent_runs import RunResult, latest_run, own_runs
from services.gateway.auth import Caller
from services.gateway.configured import configuration_of
from services.gateway.state import Gateway
from services.gateway.views import View
from shared.domain.configuration import Configuration
from shared.domain.run import RunStatus
from shared.domain.schedule import next_due, on_clock_of, schedule_text
from shared.errors import NotFound
from shared.store.agent_documents import AgentRecord, VersionRecord

Document = dict[str, Any]

_NO_MEMBERS_ZONE = "UTC"


class BackgroundAgentView(View):
    """A background Agent. The counts are of the runs that are kept, and of the caller's own unless it may see all.

    `schedule` is in words and `next_fire_at` when it is due next; both null where nothing has it fire. A stopped Agent
    has no next fire; a paused one has, and its run waits.
    """

    agent_id: str
    visibility: str
    status: str
    schedule: str | None
    next_fire_at: datetime | None
    run_count: int
    error_count: int


class BackgroundAgentStatus(BackgroundAgentView):
    """How a background Agent stands, with its latest run and what that answered."""

    last_run: RunResult | None


class BackgroundAgentList(View):
    agents: list[BackgroundAgentView]
    total: int


async def background_agents(gateway: Gateway, caller: Caller) -> list[tuple[AgentRecord, VersionRecord]]:
    """Return the published Agents with a schedule trigger that the organisation sees, by key."""
    known = await gateway.agent_records.visible(caller.organisation)
    return await _with_schedule(gateway, caller, known)


async def background_agent(gateway: Gateway, caller: Caller, agent_id: str) -> AgentRecord:
    """Return one of them, or raise NotFound."""
    known = await gateway.agent_records.of_key(caller.organisation, agent_id)
    found = await _with_schedule(gateway, caller, known)
    if not found:
        raise NotFound(
            f"There is no background Agent '{agent_id}' for you: none of that id is published with a schedule."
        )
    return found[0][0]


async def _with_schedule(
    gateway: Gateway, caller: Caller, known: Iterable[AgentRecord]
) -> list[tuple[AgentRecord, VersionRecord]]:
    agents = [agent for agent in chosen(known, caller).values() if not agent.is_archived]
    versions = await gateway.agent_records.published_of(agents)
    pairs = [(agent, versions[agent.id]) for agent in agents if agent.id in versions]
    return [(agent, version) for agent, version in pairs if version.spec.schedule_trigger is not None]


async def background_view(
    gateway: Gateway, caller: Caller, agent: AgentRecord, configuration: Configuration
) -> Document:
    """Return how it stands, without its latest run."""
    counts = await gateway.agent_figures.counts(own_runs(caller, agent.key))
    version = configuration.agent(caller.organisation, agent.key)
    schedule = None
    if version is not None:
        schedule = configuration.effective(version.spec, caller.organisation, None, None).schedule
    next_fire_at = None
    if schedule is not None and agent.status is not AgentStatus.INACTIVE:
        in_force = await gateway.schedules.soonest({"organisation": caller.organisation, "agent_key": agent.key}, 1)
        # Until the scheduler has seen it, the schedule itself says when.
        next_fire_at = (
            in_force[0].next_due_at if in_force else next_due(on_clock_of(schedule, _NO_MEMBERS_ZONE), gateway.clock())
        )
    return {
        "agent_id": agent.key,
        "visibility": visibility_of(agent),
        "status": agent.status,
        "schedule": None if schedule is None else schedule_text(schedule),
        "next_fire_at": next_fire_at,
        "run_count": sum(counts.values()),
        "error_count": counts.get(RunStatus.FAILED, 0),
    }


async def background_status(gateway: Gateway, caller: Caller, agent: AgentRecord) -> Document:
    """Return how it stands, with its latest run."""
    configuration = await configuration_of(gateway, caller.organisation, agent.key)
    view = await background_view(gateway, caller, agent, configuration)
    return {**view, "last_run": await latest_run(gateway, caller, agent.key)}


def check_started(agent: AgentRecord) -> None:
    """Raise AgentInactive for one that has not been started, or was stopped."""
    if agent.status is AgentStatus.INACTIVE:
        raise AgentInactive(
            f"Background Agent '{agent.key}' is stopped. POST /api/background-agents/{agent.key}/start starts it.",
            agent_key=agent.key,
        )
