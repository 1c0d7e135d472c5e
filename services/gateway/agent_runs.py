"""What an Agent did last, as far as the caller may see it: its latest fire, what was decided, and its runs."""

from typing import Any

from services.gateway.auth import Caller
from services.gateway.run_output import output_of
from services.gateway.schedule_views import LastFireView, last_fire_key, last_fire_view
from services.gateway.state import Gateway
from services.gateway.views import RunView, View, run_view

Document = dict[str, Any]


class RunResult(RunView):
    """A run with what it answered; `output` is null while it has not."""

    output: Any


class FiredView(View):
    """A fire and the run that it started: none when the gate decided against one, or while it has not decided."""

    project: str
    user: str
    last_fire: LastFireView
    agent_run: RunResult | None


def own_runs(caller: Caller, agent_key: str) -> Document:
    """Return the query for the Agent's runs and schedules that the caller may see."""
    query = {"organisation": caller.organisation, "agent_key": agent_key}
    return query if caller.sees_organisation else {**query, "user": caller.user}


async def latest_run(gateway: Gateway, caller: Caller, agent_key: str) -> Document | None:
    """Return the run that was queued last, whatever started it, with its result."""
    run = await gateway.agent_figures.latest(own_runs(caller, agent_key))
    return None if run is None else await _with_result(gateway, run)


async def latest_fire(gateway: Gateway, caller: Caller, agent_key: str) -> Document | None:
    """Return the latest moment that a schedule of the Agent was fired, with what came of it."""
    schedule = await gateway.schedules.latest_fired(own_runs(caller, agent_key))
    key = None if schedule is None else last_fire_key(schedule)
    if schedule is None or key is None:
        return None
    decisions = (await gateway.events.decisions([key])).get(key, [])
    run_id = decisions[0].get("run_id") if decisions else None
    run = (await gateway.runs.load([run_id])).get(run_id) if run_id is not None else None
    return {
        "project": schedule.member.project,
        "user": schedule.member.user,
        "last_fire": last_fire_view(schedule, decisions),
        "agent_run": None if run is None else await _with_result(gateway, run),
    }


async def _with_result(gateway: Gateway, run: Document) -> Document:
    return {**run_view(run), "output": await output_of(gateway, run)}
