"""/api/agents: Agents are listed, drafted, changed and archived."""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Body, Query, Request, Response

from contracts.agent_kinds import AgentStatus, AgentType, Visibility
from contracts.lanes import Lane
from services.gateway.agent_access import (
    agent_to_write,
    check_may_write,
    chosen,
    may_write,
    owner_of,
    the_agent,
    visibility_of,
)
from services.gateway.agent_drafts import check_storable, key_in, visibility_in
from services.gateway.agent_problems import AgentExists
from services.gateway.agent_views import (
    AgentDetail,
    AgentList,
    AgentStats,
    AgentTypes,
    agent_detail,
    agent_summary,
    stats_view,
)
from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.auth import Caller
from services.gateway.fields import Skip
from services.gateway.problems import RequestInvalid
from services.gateway.state import Gateway, caller_of, gateway_of
from shared.errors import NotFound
from shared.store.agent_documents import AgentRecord, Draft
from shared.store.lifecycle import ChangeKind, ChangeRecord

log = structlog.get_logger()
router = APIRouter(tags=["agents"])

Document = dict[str, Any]
Whose = Annotated[
    Visibility | None,
    Query(description="The organisation's own or the server's; by default the own one if there is one."),
]
Content = Annotated[
    Document,
    Body(
        description="The configuration of an Agent, as the schema of any version describes it.",
        examples=[{"key": "noter", "name": "Noter", "visibility": "organisation", "instructions": "List the wishes."}],
    ),
]


@router.get("/api/agents", response_model=AgentList)
async def list_agents(
    request: Request,
    skip: Skip = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    status: AgentStatus | None = None,
    agent_type: AgentType | None = None,
    category: str | None = None,
    priority_level: Lane | None = None,
    tag: str | None = None,
    search: Annotated[str | None, Query(description="Part of the key, the name or the description.")] = None,
    visibility: Whose = None,
) -> Response:
    """List the Agents that the caller's organisation may use, by key. An own one stands for the server's of its key."""
    wanted = {"status": status, "agent_type": agent_type, "category": category, "priority_level": priority_level}
    found = [each for each in await _summaries(request, visibility) if _matches(each, wanted, tag, search)]
    page = found[skip : skip + limit]
    return json_answer({"agents": page, "total": len(found), "skip": skip, "limit": limit})


def _matches(agent: Document, wanted: Document, tag: str | None, search: str | None) -> bool:
    if any(value is not None and agent[name] != value for name, value in wanted.items()):
        return False
    if tag is not None and tag.strip().lower() not in agent["tags"]:
        return False
    texts = (agent["key"], agent["name"], agent["description"])
    return search is None or any(search.lower() in text.lower() for text in texts)


async def _summaries(request: Request, visibility: Visibility | None = None) -> list[Document]:
    gateway, caller = gateway_of(request), await caller_of(request)
    known = await gateway.agent_records.visible(caller.organisation)
    agents = chosen((each for each in known if visibility in {None, visibility_of(each)}), caller).values()
    versions = await gateway.agent_records.published_of(agents)
    return [
        agent_summary(agent, versions.get(agent.id), shows_draft=may_write(caller, agent.organisation))
        for agent in agents
        if not agent.is_archived
    ]


@router.get("/api/agents/types", response_model=AgentTypes)
async def list_types(request: Request) -> Response:
    """List the values that the fields which sort Agents may have."""
    await caller_of(request)
    return json_answer(
        {
            "agent_types": list(AgentType),
            "statuses": list(AgentStatus),
            "priority_levels": list(Lane),
            "visibilities": list(Visibility),
        }
    )


@router.get("/api/agents/stats", response_model=AgentStats)
async def count_agents(request: Request) -> Response:
    """Count the Agents that the caller's organisation may use, by status, type, category and lane."""
    return json_answer(stats_view(await _summaries(request)))


@router.get("/api/agents/{key}", response_model=AgentDetail)
async def get_agent(request: Request, key: str, visibility: Whose = None) -> Response:
    """Show one Agent with its published configuration, and its draft to those who may write it."""
    gateway, caller = gateway_of(request), await caller_of(request)
    return json_answer(await _shown(gateway, caller, await the_agent(gateway, caller, key, visibility)))


@router.post("/api/agents", status_code=201, response_model=AgentDetail, responses=problems(409))
async def create_agent(request: Request, content: Content) -> Response:
    """Save a new Agent as a draft. It need not be complete: validate says what is missing, publish refuses it."""
    gateway, caller = gateway_of(request), await caller_of(request)
    key = key_in(content)
    if not await _save(gateway, caller, key, content, is_new=True):
        raise AgentExists(f"key: there is an Agent '{key}'. PUT /api/agents/{key} changes its draft.", field="key")
    return json_answer(await _saved(gateway, caller, key, content), 201)


@router.put("/api/agents/{key}", response_model=AgentDetail)
async def update_agent(request: Request, key: str, content: Content) -> Response:
    """Save the whole configuration as the draft, over the draft there was; what is published goes on.

    With the visibility `organisation` and the key of a server's Agent, it is the draft of the organisation's own version.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    if content.setdefault("key", key) != key:
        raise RequestInvalid(f"key: it says '{content['key']}', but the address '{key}'; an Agent keeps its key.")
    owner = owner_of(caller, visibility_in(content))
    check_may_write(caller, owner, key)
    known = await gateway.agent_records.of_key(caller.organisation, key)
    if all(agent.is_archived for agent in known):
        raise NotFound(f"There is no Agent '{key}' for you. POST /api/agents creates one.")
    is_own_new = all(agent.organisation != owner or agent.is_archived for agent in known)
    if not await _save(gateway, caller, key_in(content), content, is_new=is_own_new):
        raise AgentExists(f"Somebody else created Agent '{key}' at the same moment: look at it, and save yours again.")
    return json_answer(await _saved(gateway, caller, key, content))


@router.delete("/api/agents/{key}", response_model=AgentDetail)
async def archive_agent(request: Request, key: str, visibility: Whose = None) -> Response:
    """Archive an Agent: nothing starts it any more. Its versions stay, and its runs go on. Publishing it ends that."""
    gateway, caller = gateway_of(request), await caller_of(request)
    agent = await agent_to_write(gateway, caller, key, visibility)
    if not agent.is_archived:
        change = ChangeRecord(ChangeKind.ARCHIVED, gateway.clock(), caller.user, agent.status)
        await gateway.lifecycle.archive(agent.id, change)
        log.info("agent.archived", agent=agent.id, by=caller.user)
    (agent,) = [each for each in await gateway.agent_records.of_key(agent.organisation, key) if each.id == agent.id]
    return json_answer(await _shown(gateway, caller, agent))


async def _save(gateway: Gateway, caller: Caller, key: str, content: Document, *, is_new: bool) -> bool:
    owner = owner_of(caller, visibility_in(content))
    check_may_write(caller, owner, key)
    check_storable(content, gateway.settings.max_body_bytes)
    draft = Draft(content, caller.user, gateway.clock())
    is_saved = await gateway.agent_records.save_draft(owner, key, draft, is_new=is_new)
    if is_saved:
        log.info("agent.drafted", agent=key, organisation=owner, by=caller.user)
    return is_saved


async def _saved(gateway: Gateway, caller: Caller, key: str, content: Document) -> Document:
    return await _shown(gateway, caller, await the_agent(gateway, caller, key, visibility_in(content)))


async def _shown(gateway: Gateway, caller: Caller, agent: AgentRecord) -> Document:
    version = (await gateway.agent_records.published_of([agent])).get(agent.id)
    return agent_detail(agent, version, shows_draft=may_write(caller, agent.organisation))
