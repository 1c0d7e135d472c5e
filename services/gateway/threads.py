"""Threads as the API shows them: runs as talks that can be read, and the Agents of a user with theirs."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from services.gateway.agent_access import chosen
from services.gateway.auth import Caller
from services.gateway.run_output import output_of
from services.gateway.state import Gateway
from services.gateway.views import Document, ErrorView, View
from shared.domain.batch import event_for
from shared.domain.transcript import Said, cut, transcript

_READ_AT_ONCE = 8


class ThreadView(View):
    """The transcript of a run. Its id is the run's, `date` the day in UTC on which it was queued."""

    id: str
    title: str
    date: str
    agent_key: str
    agent_name: str
    status: str
    user: str | None
    project: str | None
    created_at: datetime
    updated_at: datetime


class ThreadList(View):
    threads: list[ThreadView]
    next_cursor: str | None


class ToolEventView(View):
    """`command` is what the tool was asked, as JSON. A `refused` call was not made. Texts are cut at 20,000 characters."""

    round: int
    tool: str
    command: str
    output: str | None
    exit_code: int | None
    refused: bool


class MessageView(View):
    """What started the run (`user`), or what the Agent said and had done (`assistant`)."""

    role: str
    content: str
    at: datetime
    model: str | None
    tool_events: list[ToolEventView]


class ThreadDetail(ThreadView):
    """A thread with what was said in it; `output` is what the run answered, `read_only` is always true."""

    read_only: bool
    messages: list[MessageView]
    output: Any
    error: ErrorView | None


class AgentThreads(View):
    """One Agent of a user: how many of its memory diffs wait for a decision, and its latest threads, newest first."""

    agent_key: str
    name: str
    hidden: bool
    pending_diffs: int
    threads: list[ThreadView]


class UserAgents(View):
    user: str
    agents: list[AgentThreads]


Names = dict[str, tuple[str, bool]]


async def names(gateway: Gateway, caller: Caller) -> Names:
    """Return the name of each Agent that the caller sees, and whether it is hidden."""
    agents = chosen(await gateway.agent_records.visible(caller.organisation), caller).values()
    versions = await gateway.agent_records.published_of(agents)
    specs = {agent.key: versions[agent.id].spec for agent in agents if agent.id in versions}
    return {key: (spec.name, spec.hidden) for key, spec in specs.items()}


def thread_view(run: Document, names: Names) -> dict[str, Any]:
    """Return a stored run as a thread; an Agent that is not there any more goes by its key."""
    name, date = names.get(run["agent_key"], (run["agent_key"], True))[0], f"{run['queued_at']:%Y-%m-%d}"
    return {
        "id": run["_id"],
        "title": f"{name} - {date}",
        "date": date,
        "agent_name": name,
        **{field: run[field] for field in ("agent_key", "status", "user", "project")},
        "created_at": run["queued_at"],
        "updated_at": run["changed_at"],
    }


async def thread_detail(gateway: Gateway, run: dict[str, Any], names: Names) -> dict[str, Any]:
    """Return a stored run as a thread with everything that was said."""
    events, steps, output = await asyncio.gather(
        gateway.events.load([run["event_key"]]), gateway.steps.of_run(run["_id"]), output_of(gateway, run)
    )
    said = transcript(await _with_results(gateway, steps))
    event = events.get(run["event_key"])
    return {
        **thread_view(run, names),
        "read_only": True,
        "messages": [*([] if event is None else [_asked(run, event)]), *map(_answered, said)],
        "output": output,
        "error": run.get("error"),
    }


async def _with_results(
    gateway: Gateway, steps: Sequence[dict[str, Any]]
) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    places = asyncio.Semaphore(_READ_AT_ONCE)

    async def result(step: dict[str, Any]) -> dict[str, Any] | None:
        async with places:
            return None if step["finished_at"] is None else await gateway.steps.result_of(step)

    return list(zip(steps, await asyncio.gather(*map(result, steps)), strict=True))


def _asked(run: Document, event: Document) -> dict[str, Any]:
    told = event_for(run, orjson.loads(event["json"]))
    text = orjson.dumps({"type": told["type"], "data": told.get("data")}, option=orjson.OPT_INDENT_2).decode()
    return {"role": "user", "content": cut(text), "at": run["queued_at"], "model": None, "tool_events": []}


def _answered(said: Said) -> dict[str, Any]:
    tool_events = [
        {"refused": event.is_refused, **{name: getattr(event, name) for name in event._fields if name != "is_refused"}}
        for event in said.tool_events
    ]
    return {
        "role": "assistant",
        "content": said.content,
        "at": said.at,
        "model": said.model,
        "tool_events": tool_events,
    }


def user_agents(
    user: str, runs: Mapping[str, Sequence[Document]], pending: Mapping[str, int], names: Names
) -> dict[str, Any]:
    """Return the Agents that have threads or pending diffs, the one with the newest thread first."""
    listed = [
        {
            "agent_key": key,
            "name": names.get(key, (key, True))[0],
            "hidden": names.get(key, (key, True))[1],
            "pending_diffs": pending.get(key, 0),
            "threads": [thread_view(run, names) for run in runs.get(key, ())],
        }
        for key in {*runs, *pending}
    ]
    return {"user": user, "agents": sorted(listed, key=_newest_first, reverse=True)}


def _newest_first(agent: dict[str, Any]) -> tuple[bool, Any, str]:
    threads = agent["threads"]
    return bool(threads), threads[0]["created_at"] if threads else None, agent["agent_key"]
