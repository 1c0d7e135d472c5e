"""/api/dead-letters: what could not be handled, and what people decide about it."""

from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.gateway import cursor as cursors
from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.auth import Caller, Role
from services.gateway.fields import Text, ZonedMoment
from services.gateway.letter_views import (
    LetterDetail,
    LetterList,
    LettersDiscarded,
    LettersRedriven,
    letter_detail,
    letter_view,
)
from services.gateway.problems import Forbidden, RequestInvalid
from services.gateway.state import Gateway, caller_of, gateway_of
from shared.domain.dead_letter import DeadLetterKind, DeadLetterStatus
from shared.store.deciding import Deciding

log = structlog.get_logger()
router = APIRouter(tags=["dead letters"])

Document = dict[str, Any]

_Reason = Annotated[str, Field(min_length=1, max_length=2_000, description="Why; kept with the letter.")]
_OfOrganisation = "Only these of one organisation, for server admins."


class Selection(BaseModel):
    """Which open letters are meant, the oldest first, and how many at most. Without any filter, say `everything`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": "model_refused"}]})

    kind: DeadLetterKind | None = None
    code: Text | None = None
    agent_key: Text | None = None
    organisation: Annotated[Text | None, Field(description=_OfOrganisation)] = None
    before: Annotated[ZonedMoment | None, Field(description="Only what happened last before this moment.")] = None
    everything: bool = False
    limit: Annotated[int, Field(ge=1, le=1_000)] = 200

    def filters(self) -> Document:
        """Return the query for what the caller asks for; raises RequestInvalid when that is not said."""
        named = {"kind": self.kind, "code": self.code, "agent_key": self.agent_key}
        wanted = {name: value for name, value in named.items() if value is not None}
        if not wanted and self.organisation is None and not self.everything:
            raise RequestInvalid("Say which letters are meant: kind, code, agent_key or organisation; or everything.")
        return wanted


class DiscardSelection(Selection):
    """Which open letters are to be discarded, and why."""

    reason: _Reason


class Discarding(BaseModel):
    """Why a letter is discarded."""

    model_config = ConfigDict(extra="forbid")

    reason: _Reason


@router.get("/api/dead-letters", response_model=LetterList)
async def list_dead_letters(
    request: Request,
    kind: DeadLetterKind | None = None,
    status: Annotated[list[DeadLetterStatus] | None, Query(description="Only these; may be repeated.")] = None,
    code: str | None = None,
    agent_key: str | None = None,
    organisation: Annotated[str | None, Query(description=_OfOrganisation)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> Response:
    """List dead letters, the latest first, without their messages; for backends and admins."""
    gateway, caller = gateway_of(request), await caller_of(request)
    filters = {"kind": kind, "code": code, "agent_key": agent_key}
    query = {
        **_visible_to(caller, organisation),
        **{name: value for name, value in filters.items() if value is not None},
        "status": {"$in": sorted(status or DeadLetterStatus)},
        **cursors.after(cursor, "last_at"),
    }
    found = await gateway.dead_letters.find(query, limit + 1)
    page, next_cursor = cursors.page(found, limit, "last_at")
    return json_answer(
        {
            "dead_letters": [letter_view(letter) for letter in page],
            "next_cursor": next_cursor,
        }
    )


@router.get("/api/dead-letters/{letter_id}", response_model=LetterDetail)
async def get_dead_letter(request: Request, letter_id: str) -> Response:
    """Return one dead letter with its message."""
    gateway, caller = gateway_of(request), await caller_of(request)
    return json_answer(letter_detail(await _visible(gateway, caller, letter_id)))


@router.post("/api/dead-letters/redrive", response_model=LettersRedriven)
async def redrive_dead_letters(request: Request, selection: Selection) -> Response:
    """Redrive the open letters that the filter means, a bounded number in one call."""
    gateway, caller = gateway_of(request), await caller_of(request)
    letters, as_of, has_more = await _selected(gateway, caller, selection)
    decided = await gateway.letter_decisions.redrive(letters, _deciding(gateway, caller, None))
    log.info("dead_letters.redriven", count=decided.count, obsolete=decided.obsolete, by=caller.user)
    return json_answer(
        {"redriven": decided.count, "obsolete": decided.obsolete, "more": has_more, "as_of": as_of},
    )


@router.post("/api/dead-letters/discard", response_model=LettersDiscarded)
async def discard_dead_letters(request: Request, selection: DiscardSelection) -> Response:
    """Discard the open letters that the filter means, a bounded number in one call."""
    gateway, caller = gateway_of(request), await caller_of(request)
    letters, as_of, has_more = await _selected(gateway, caller, selection)
    decided = await gateway.letter_decisions.discard(letters, _deciding(gateway, caller, selection.reason))
    log.info("dead_letters.discarded", count=decided.count, by=caller.user, reason=selection.reason)
    return json_answer({"discarded": decided.count, "more": has_more, "as_of": as_of})


@router.post("/api/dead-letters/{letter_id}/redrive", response_model=LetterDetail, responses=problems(409))
async def redrive_dead_letter(request: Request, letter_id: str) -> Response:
    """Have what died tried again: a run is queued, an event is considered again. Redriving again is the same answer."""
    gateway, caller = gateway_of(request), await caller_of(request)
    letter = await _visible(gateway, caller, letter_id)
    await gateway.letter_decisions.redrive_one(letter, _deciding(gateway, caller, None))
    log.info("dead_letter.redriven", id=letter_id, kind=letter["kind"], by=caller.user)
    return json_answer(letter_detail(await _visible(gateway, caller, letter_id)))


@router.post("/api/dead-letters/{letter_id}/discard", response_model=LetterDetail, responses=problems(409))
async def discard_dead_letter(request: Request, letter_id: str, discarding: Discarding) -> Response:
    """Note that nothing is to be done about a letter, and why. Discarding again is the same answer."""
    gateway, caller = gateway_of(request), await caller_of(request)
    letter = await _visible(gateway, caller, letter_id)
    await gateway.letter_decisions.discard_one(letter, _deciding(gateway, caller, discarding.reason))
    log.info("dead_letter.discarded", id=letter_id, kind=letter["kind"], by=caller.user, reason=discarding.reason)
    return json_answer(letter_detail(await _visible(gateway, caller, letter_id)))


async def _selected(gateway: Gateway, caller: Caller, selection: Selection) -> tuple[list[Document], datetime, bool]:
    """Return the letters to decide, the moment up to which they are meant, and whether more of them are left."""
    as_of = selection.before or gateway.clock()
    query = {
        **_visible_to(caller, selection.organisation),
        **selection.filters(),
        "status": DeadLetterStatus.OPEN,
        "last_at": {"$lte": as_of},
    }
    found = await gateway.dead_letters.find(query, selection.limit + 1, oldest_first=True)
    return found[: selection.limit], as_of, len(found) > selection.limit


async def _visible(gateway: Gateway, caller: Caller, letter_id: str) -> Document:
    return await gateway.dead_letters.get({"_id": letter_id, **_visible_to(caller, None)})


def _visible_to(caller: Caller, organisation: str | None) -> Document:
    """Return the query for what this caller may see and decide; raises Forbidden."""
    if Role.SERVER_ADMIN in caller.roles:
        return {} if organisation is None else {"organisation": organisation}
    if not caller.sees_organisation:
        raise Forbidden("Dead letters are for backends and admins.")
    if organisation not in {None, caller.organisation}:
        raise Forbidden(f"Your token is for organisation '{caller.organisation}'.")
    return {"organisation": caller.organisation}


def _deciding(gateway: Gateway, caller: Caller, reason: str | None) -> Deciding:
    return Deciding(caller.user, gateway.clock(), reason)
