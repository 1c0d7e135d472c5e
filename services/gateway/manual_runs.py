"""Runs that people ask for: checked first, then published as an event like any other."""

from dataclasses import dataclass
from typing import Any

from contracts.agents import Scope
from contracts.ids import run_id
from contracts.manual_runs import AgentExecuteRequested
from services.gateway.agent_access import the_agent
from services.gateway.agent_drafts import the_version
from services.gateway.agent_problems import (
    AgentDisabled,
    AgentInactive,
    AgentNotManual,
    AgentUnpublished,
    RequestIdReused,
)
from services.gateway.auth import Caller
from services.gateway.intake import Readable, Reading
from services.gateway.problems import BodyTooLarge
from services.gateway.publish import answer
from services.gateway.state import Gateway
from shared.domain.configuration import AgentVersion, Configuration
from shared.domain.decision import MANUAL_TARGET, Reason
from shared.domain.effective import Effective
from shared.domain.event import accepted_event

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Runnable:
    """A published version that its organisation may start, and what holds for it where the run would belong."""

    version: AgentVersion
    effective: Effective


async def runnable(gateway: Gateway, caller: Caller, key: str, project: str | None, user: str) -> Runnable:
    """Return what the key means for a run of this user, or raise NotFound or AgentUnpublished."""
    agents = await gateway.agent_records.of_key(caller.organisation, key)
    published = [agent for agent in agents if agent.published is not None and not agent.is_archived]
    if not published:
        await the_agent(gateway, caller, key)
        raise AgentUnpublished(f"Agent '{key}' is not published. POST /api/agents/{key}/publish publishes its draft.")
    agent = max(published, key=lambda each: each.organisation != "")
    stored = await the_version(gateway, agent, agent.published or 0)
    version = AgentVersion(stored.number, stored.spec, agent.organisation)
    configuration = Configuration()
    configuration.replace_agents([version], {agent.id: agent.status})
    configuration.replace_bindings(
        await gateway.bindings.find({"organisation": {"$in": ["", caller.organisation]}, "agent_key": key})
    )
    return Runnable(version, configuration.effective(stored.spec, caller.organisation, project, user))


def check_startable(found: Runnable) -> None:
    """Raise the Conflict that says what keeps people from starting the Agent; the runs of a paused one wait."""
    key = found.version.spec.key
    if not found.version.spec.manual:
        raise AgentNotManual(
            f"Agent '{key}' is not started by hand: version {found.version.number} says manual = false.", agent_key=key
        )
    if found.effective.is_inactive:
        raise AgentInactive(
            f"Agent '{key}' is inactive. An admin makes it active: PUT /api/agents/{key}/status.", agent_key=key
        )
    if not found.effective.is_enabled and found.effective.decided_by is not None:
        at = found.effective.decided_by
        raise _disabled(key, at.scope, at.id)


def _disabled(key: str, scope: str, scope_id: str) -> AgentDisabled:
    named = "the server" if scope == Scope.SERVER else f"{scope} '{scope_id}'"
    return AgentDisabled(
        f"Agent '{key}' is disabled by the binding of {named}. PUT /api/bindings changes it.",
        agent_key=key,
        decided_by={"scope": scope, "scope_id": scope_id},
    )


async def start(gateway: Gateway, event: AgentExecuteRequested, version: int) -> Document:
    """Have the event accepted and gated, and return its run; raises the Conflict that the gate decided.

    When the gate has not answered in time, the run is told by the id that it will have.
    """
    json = event.to_json()
    most = gateway.settings.max_event_bytes
    if len(json) > most:
        raise BodyTooLarge(f"input: the event has {len(json)} bytes as JSON; the most is {most}.", limit=most)
    reading = Reading([Readable(0, accepted_event(event, json.decode(), gateway.clock()))], [])
    published = await gateway.publishing.publish(reading)
    if published.refused:
        raise RequestIdReused(f"request_id: '{event.id}' was used for another request; choose a new one.")
    (told,) = answer(published)["events"]
    for decision in told["decisions"]:
        if decision["outcome"] == "skipped":
            _refuse(decision)
    if not (told["agent_runs"] or told["pending"]):
        key = event.data.agent_key
        raise AgentUnpublished(
            f"Agent '{key}' was published or changed a moment ago. Ask again in a second, with a new request_id."
        )
    run = told["agent_runs"][0] if told["agent_runs"] else _expected(event, version)
    return {"agent_run": run, "event_id": event.id, "decisions": told["decisions"], "pending": told["pending"]}


def _refuse(decision: Document) -> None:
    """Say what the gate decided, which was asked a moment after the check."""
    key, at = decision["agent_key"], decision["decided_by"]
    if decision["reason"] == Reason.DISABLED and at is not None:
        raise _disabled(key, at["scope"], at["scope_id"])
    raise AgentInactive(decision["explanation"], agent_key=key)


def _expected(event: AgentExecuteRequested, version: int) -> Document:
    asked = event.data.target
    target = {"type": MANUAL_TARGET, "id": event.id} if asked is None else {"type": asked.type, "id": asked.id}
    return {
        "id": run_id(event.key, event.data.agent_key, target["type"], target["id"]),
        "agent_key": event.data.agent_key,
        "agent_version": version,
        "status": "queued",
        "target": target,
    }
