"""/api/agents/{key}/...: versions are read, compared, checked, published and rolled back."""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.agents import AgentSpec
from services.gateway.agent_access import agent_to_write, chosen, the_agent
from services.gateway.agent_drafts import (
    Published,
    check_storable,
    fit,
    publish,
    published_configuration,
    the_version,
)
from services.gateway.agent_views import (
    CheckAnswer,
    ComparisonAnswer,
    Publication,
    VersionDetail,
    VersionList,
    change_views,
    configuration,
    error_views,
    version_detail,
    version_view,
)
from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.fields import Skip
from services.gateway.problems import RequestInvalid
from services.gateway.routes.agents import Whose
from services.gateway.state import caller_of, gateway_of
from shared.domain.agent_check import AgentUnfit, checked
from shared.domain.comparison import changes
from shared.store.agent_documents import AgentRecord

log = structlog.get_logger()
router = APIRouter(tags=["agents"])

Document = dict[str, Any]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
_LONGEST_NOTE = 2_000


class PublishRequest(BaseModel):
    """Why this version is published, for whoever reads the history."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(default="", max_length=_LONGEST_NOTE)


class RollbackRequest(BaseModel):
    """Which version's content is to be published again, and why."""

    model_config = ConfigDict(extra="forbid")

    number: Number
    note: str = Field(default="", max_length=_LONGEST_NOTE)


class ValidateRequest(BaseModel):
    """What is to be checked; without content, the draft is."""

    model_config = ConfigDict(extra="forbid")

    content: Document | None = None


@router.get("/api/agents/{key}/versions", response_model=VersionList)
async def list_versions(
    request: Request,
    key: str,
    visibility: Whose = None,
    skip: Skip = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Response:
    """List the versions of an Agent, the latest first."""
    gateway, caller = gateway_of(request), await caller_of(request)
    agent = await the_agent(gateway, caller, key, visibility)
    versions = await gateway.agent_records.versions(agent.organisation, key, skip, limit)
    return json_answer({"versions": [version_view(version) for version in versions]})


@router.get("/api/agents/{key}/versions/{number}", response_model=VersionDetail)
async def get_version(request: Request, key: str, number: Number, visibility: Whose = None) -> Response:
    """Show one version with its whole configuration."""
    gateway, caller = gateway_of(request), await caller_of(request)
    agent = await the_agent(gateway, caller, key, visibility)
    return json_answer(version_detail(await the_version(gateway, agent, number)))


@router.get("/api/agents/{key}/versions/{number}/schema", response_model=dict[str, Any])
async def get_version_schema(request: Request, key: str, number: Number, visibility: Whose = None) -> Response:
    """Return the JSON Schema of a configuration, with the values of this version as the defaults of its fields."""
    gateway, caller = gateway_of(request), await caller_of(request)
    agent = await the_agent(gateway, caller, key, visibility)
    values = configuration((await the_version(gateway, agent, number)).spec)
    schema = AgentSpec.model_json_schema()
    schema["properties"] = {
        name: {**described, "default": values[name]} for name, described in schema["properties"].items()
    }
    return json_answer(schema)


@router.get("/api/agents/{key}/compare", response_model=ComparisonAnswer)
async def compare_versions(
    request: Request,
    key: str,
    older: Annotated[Number, Query(alias="from")],
    newer: Annotated[Number, Query(alias="to")],
    visibility: Whose = None,
) -> Response:
    """Compare two versions field by field."""
    gateway, caller = gateway_of(request), await caller_of(request)
    agent = await the_agent(gateway, caller, key, visibility)
    old, new = await the_version(gateway, agent, older), await the_version(gateway, agent, newer)
    found = changes(configuration(old.spec), configuration(new.spec))
    return json_answer({"old": version_view(old), "new": version_view(new), "changes": change_views(found)})


@router.post("/api/agents/{key}/validate", response_model=CheckAnswer)
async def validate_agent(
    request: Request, key: str, wanted: ValidateRequest | None = None, visibility: Whose = None
) -> Response:
    """Say whether a configuration, or the draft, could be published, which fields are wrong, and what would change.

    It is compared with what is published of the Agent that it would change, if there is one. Nothing is written.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    content = None if wanted is None else wanted.content
    if content is None:
        agent: AgentRecord | None = await agent_to_write(gateway, caller, key, visibility)
        content = _draft_of(agent)
    else:
        check_storable(content, gateway.settings.max_body_bytes)
        known = await gateway.agent_records.of_key(caller.organisation, key)
        owner = caller.organisation if content.get("visibility") == "organisation" else ""
        agent = chosen((each for each in known if each.organisation == owner and not each.is_archived), caller).get(key)
    number, before = await published_configuration(gateway, agent)
    answer: Document = {"valid": True, "errors": [], "published": number, "content_hash": None, "changes": []}
    try:
        spec = checked({"key": key, **content})
    except AgentUnfit as error:
        return json_answer({**answer, "valid": False, "errors": error_views(error.errors)})
    found = change_views(changes(before, configuration(spec)))
    return json_answer({**answer, "content_hash": spec.content_hash(), "changes": found})


def _draft_of(agent: AgentRecord | None) -> Document:
    if agent is None or agent.draft is None:
        raise RequestInvalid("content: the Agent has no draft; send the configuration to be checked.")
    return agent.draft.content


@router.post("/api/agents/{key}/publish", response_model=Publication, responses=problems(409))
async def publish_agent(
    request: Request, key: str, wanted: PublishRequest | None = None, visibility: Whose = None
) -> Response:
    """Publish the draft as the next version; every service obeys it within a second. Runs under way keep theirs.

    Without a draft, or when the draft is what is published, nothing changes.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    agent = await agent_to_write(gateway, caller, key, visibility)
    if agent.draft is None and agent.published is not None and not agent.is_archived:
        return json_answer(_publication(Published(await the_version(gateway, agent, agent.published), is_new=False)))
    spec = fit(_draft_of(agent))
    published = await publish(gateway, caller, agent, spec, "" if wanted is None else wanted.note)
    if agent.draft is not None:
        await gateway.agent_records.drop_draft(agent.organisation, key, agent.draft)
    log.info("agent.published", agent=agent.id, version=published.version.number, by=caller.user)
    return json_answer(_publication(published))


@router.post("/api/agents/{key}/rollback", response_model=Publication, responses=problems(409))
async def roll_back_agent(request: Request, key: str, wanted: RollbackRequest, visibility: Whose = None) -> Response:
    """Publish the content of an earlier version as the next one, with a note that says so. A draft is left alone."""
    gateway, caller = gateway_of(request), await caller_of(request)
    agent = await agent_to_write(gateway, caller, key, visibility)
    earlier = await the_version(gateway, agent, wanted.number)
    note = f"Rolled back to version {wanted.number}. {wanted.note}".strip()
    published = await publish(gateway, caller, agent, earlier.spec, note)
    log.info("agent.rolled_back", agent=agent.id, to=wanted.number, version=published.version.number, by=caller.user)
    return json_answer(_publication(published))


def _publication(published: Published) -> Document:
    return {"changed": published.is_new, "version": version_view(published.version)}
