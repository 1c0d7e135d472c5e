"""Drafts of Agents as a request brings them, and from there to published versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from contracts.agent_kinds import Visibility
from contracts.agents import AgentKey, AgentSpec
from services.gateway.agent_problems import AgentInvalid, AgentNameTaken
from services.gateway.agent_views import configuration, error_views
from services.gateway.auth import Caller
from services.gateway.problems import BodyTooLarge, RequestInvalid
from services.gateway.state import Gateway
from shared.domain.agent_check import AgentUnfit, checked
from shared.errors import NotFound
from shared.store.agent_documents import AgentRecord, VersionRecord

Document = dict[str, Any]

RESERVED_KEYS = frozenset({"types", "stats", "bulk"})
_KEY: TypeAdapter[str] = TypeAdapter(AgentKey)


def key_in(content: Mapping[str, Any]) -> str:
    """Return the key that the document gives the Agent, or raise RequestInvalid."""
    try:
        key = _KEY.validate_python(content.get("key"))
    except ValidationError as error:
        raise RequestInvalid(
            "key: give the Agent a key that begins with a-z and goes on with a-z, digits, _ and -, 64 at most."
        ) from error
    if key in RESERVED_KEYS:
        raise RequestInvalid(f"key: '{key}' is the name of a route; choose another.")
    return key


def visibility_in(content: Mapping[str, Any]) -> Visibility:
    """Return whose Agent the document describes, or raise RequestInvalid."""
    said = content.get("visibility", Visibility.SERVER)
    if said not in list(Visibility):
        raise RequestInvalid("visibility: write 'organisation' or 'server'.")
    return Visibility(said)


def check_storable(content: Mapping[str, Any], most_bytes: int) -> None:
    """Raise BodyTooLarge or RequestInvalid for what cannot be kept as a draft."""
    try:
        size = len(orjson.dumps(content))
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise RequestInvalid(f"The body cannot be stored as JSON: {error}.") from error
    if size > most_bytes:
        raise BodyTooLarge(f"The Agent has {size} bytes as JSON; the most is {most_bytes}.", limit=most_bytes)


def fit(content: Mapping[str, Any]) -> AgentSpec:
    """Return the Agent version that the document is, or raise AgentInvalid, which names each wrong field."""
    try:
        return checked(content)
    except AgentUnfit as error:
        detail = f"{error} Correct the draft, and publish it again."
        raise AgentInvalid(detail, errors=error_views(error.errors)) from error


@dataclass(frozen=True, slots=True)
class Published:
    """The version that is published now, and whether it became so just now."""

    version: VersionRecord
    is_new: bool


async def publish(gateway: Gateway, caller: Caller, agent: AgentRecord, spec: AgentSpec, note: str) -> Published:
    """Publish this as the Agent's next version, unless it is published already; raises AgentNameTaken, VersionTaken."""
    await _check_name(gateway, agent, spec)
    made = await gateway.agents.publish(spec, caller.user, gateway.clock(), organisation=agent.organisation, note=note)
    return Published(
        await the_version(gateway, agent, made.number), is_new=agent.is_archived or made.number != agent.published
    )


async def _check_name(gateway: Gateway, agent: AgentRecord, spec: AgentSpec) -> None:
    """Names are for people, so those of one organisation, or of the server, are told apart by them."""
    agents = await gateway.agent_records.visible(agent.organisation)
    beside = [
        each
        for each in agents
        if each.organisation == agent.organisation and each.id != agent.id and not each.is_archived
    ]
    for version in (await gateway.agent_records.published_of(beside)).values():
        if version.spec.name == spec.name:
            raise AgentNameTaken(
                f"name: '{spec.name}' is the name of Agent '{version.spec.key}'; choose another.", field="name"
            )


async def the_version(gateway: Gateway, agent: AgentRecord, number: int) -> VersionRecord:
    """Return one version of the Agent, or raise NotFound."""
    version = await gateway.agent_records.version(agent.organisation, agent.key, number)
    if version is None:
        raise NotFound(f"Agent '{agent.key}' has no version {number}. GET /api/agents/{agent.key}/versions lists them.")
    return version


async def published_configuration(gateway: Gateway, agent: AgentRecord | None) -> tuple[int | None, Document]:
    """Return the number and the content of what is published; nothing when nothing is."""
    if agent is None or agent.published is None:
        return None, {}
    return agent.published, configuration((await the_version(gateway, agent, agent.published)).spec)
