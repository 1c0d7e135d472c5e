"""/api/sessions: what was said in a session, by people and by Agents that continued it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from contracts.ids import derived_id
from contracts.sessions import SessionDeleted, SessionDeletedData
from services.gateway.answers import json_answer
from services.gateway.auth import Caller
from services.gateway.job_views import DeletedSession, SessionView, session_view
from services.gateway.state import Gateway, caller_of, gateway_of
from shared.domain.session import session_key
from shared.errors import NotFound
from shared.own_events import accept_own
from shared.store.sessions import Whose

router = APIRouter(tags=["sessions"])

Document = dict[str, Any]

SOURCE = "/towpath/sessions"


@router.get("/api/sessions/{session_id}", response_model=SessionView)
async def get_session(
    request: Request,
    session_id: str,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[int, Query(ge=-1, le=2**53, description="After the message of this position.")] = -1,
) -> Response:
    """Return a session, by its id or its key, with its messages from the first on, or from a position on."""
    gateway, caller = gateway_of(request), await caller_of(request)
    session = await _visible(gateway, caller, session_id)
    messages = await gateway.sessions.messages.page(session["_id"], cursor, limit + 1)
    return json_answer(session_view(session, messages, limit, gateway.clock()))


@router.delete("/api/sessions/{session_id}", response_model=DeletedSession)
async def delete_session(request: Request, session_id: str) -> Response:
    """Delete a session with its messages, for good. Follow-ups of its jobs end as handled; its id is not used again."""
    gateway, caller = gateway_of(request), await caller_of(request)
    session, now = await _visible(gateway, caller, session_id), gateway.clock()
    whose = Whose(session["organisation"], session["user"], session["session_id"], session["project"])
    await gateway.sessions.delete(whose, now)
    # What waits for the session is let go by gating.
    await accept_own(gateway.events, gateway.publisher, [_deleted(whose)], now)
    return json_answer({"session_id": whose.session_id, "deleted_at": now})


async def _visible(gateway: Gateway, caller: Caller, name: str) -> Document:
    keys = (session_key(caller.organisation, name), name)
    found = await gateway.sessions.load(keys)
    session = next((found[key] for key in keys if key in found), None)
    if session is None or session["deleted_at"] is not None or not caller.sees(session):
        raise NotFound(f"There is no session '{name}', or it is not yours to see.")
    return session


def _deleted(whose: Whose) -> SessionDeleted:
    return SessionDeleted(
        id=derived_id("deleted", whose.key),
        source=SOURCE,
        organisationid=whose.organisation,
        projectid=whose.project,
        userid=whose.user,
        data=SessionDeletedData(session_id=whose.session_id),
    )
