"""/api/threads: the transcripts of a user's runs, to be read."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from contracts.agents import AgentKey
from services.gateway import cursor as cursors
from services.gateway.answers import json_answer, tagged_answer
from services.gateway.api_document import problems
from services.gateway.chats import refuse_answer, refuse_chat
from services.gateway.fields import Object
from services.gateway.state import caller_of, gateway_of
from services.gateway.threads import (
    ThreadDetail,
    ThreadList,
    UserAgents,
    names,
    thread_detail,
    thread_view,
    user_agents,
)
from services.gateway.visible import visible_run

router = APIRouter(tags=["threads"])

_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Nothing has changed since that ETag"}}
Limit = Annotated[int, Query(ge=1, le=200)]
AnotherUser = Annotated[str | None, Query(description="Another user, for backends and admins.")]


@router.get("/api/threads", response_model=ThreadList)
async def list_threads(
    request: Request,
    agent_key: AgentKey | None = None,
    user: AnotherUser = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Response:
    """List a user's threads, newest first: one for each run that belongs to the user, but for those of replays."""
    gateway, caller = gateway_of(request), await caller_of(request)
    whose = caller.whose(user, all_users=False)
    keys = await gateway.threads.agents(whose) if agent_key is None else [agent_key]
    found, known = await asyncio.gather(
        gateway.threads.find(whose, keys, cursors.after(cursor, "queued_at"), limit + 1), names(gateway, caller)
    )
    page, next_cursor = cursors.page(found, limit, "queued_at")
    return json_answer({"threads": [thread_view(run, known) for run in page], "next_cursor": next_cursor})


@router.get("/api/threads/{run_id}", response_model=ThreadDetail, responses=_UNCHANGED)
async def get_thread(request: Request, run_id: str) -> Response:
    """Return one thread: what started the run, and what the model said and had done, round by round.

    Poll with `If-None-Match`: an unchanged thread is an empty 304.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    run = await visible_run(gateway, caller, run_id)
    return tagged_answer(request, await thread_detail(gateway, run, await names(gateway, caller)))


@router.get("/api/users/{user}/agents", response_model=UserAgents)
async def list_agents_of_user(
    request: Request,
    user: str,
    limit: Annotated[int, Query(ge=1, le=100, description="How many threads of each Agent.")] = 20,
) -> Response:
    """List the Agents that work for a user, each with its latest threads and how many of its memory diffs wait."""
    gateway, caller = gateway_of(request), await caller_of(request)
    whose = caller.whose(user, all_users=False)
    keys, pending, known = await asyncio.gather(
        gateway.threads.agents(whose), gateway.threads.pending_diffs(whose), names(gateway, caller)
    )
    found = await asyncio.gather(*(gateway.threads.find(whose, [key], {}, limit) for key in keys))
    runs = {key: of_agent for key, of_agent in zip(keys, found, strict=True) if of_agent}
    return json_answer(user_agents(whose["user"], runs, pending, known))


@router.post("/api/threads/{run_id}/messages", status_code=409, response_model=None, responses=problems(409))
async def continue_thread(request: Request, run_id: str, message: Object) -> None:
    """Refuse to continue a thread, and say what to do instead: 403 when its Agent is hidden, else 409."""
    gateway, caller = gateway_of(request), await caller_of(request)
    run = await visible_run(gateway, caller, run_id)
    known = await names(gateway, caller)
    refuse_answer(run["agent_key"], is_hidden=known.get(run["agent_key"], ("", True))[1])


@router.post("/api/agents/{key}/chat", status_code=409, response_model=None, responses=problems(409))
async def chat_with_agent(request: Request, key: AgentKey, message: Object) -> None:
    """Refuse to chat with an Agent, and say what to do instead: 403 when it is hidden, else 409."""
    await refuse_chat(gateway_of(request), await caller_of(request), key)
