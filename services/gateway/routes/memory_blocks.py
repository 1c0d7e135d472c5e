"""/api/memory/{block_id}: one memory block with its history, and what people write into it."""

from http import HTTPStatus
from typing import Annotated, Self

import structlog
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.agents import MemoryOwner
from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.fields import in_unicode
from services.gateway.memory_access import own_block, visible_block
from services.gateway.memory_views import DiffView, VersionList, VersionView, diff_view, version_view
from services.gateway.problems import RequestInvalid
from services.gateway.state import caller_of, gateway_of
from services.gateway.views import BlockView, block_view
from shared.domain.memory import LONGEST_TEXT, Owner
from shared.domain.text_diff import fields_diff
from shared.store.memory_history import Writing

log = structlog.get_logger()
router = APIRouter(tags=["memory"])

_MOST_VERSION = 2**31 - 1
Number = Annotated[int, Field(ge=0, le=_MOST_VERSION)]
Version = Annotated[int, Path(ge=1, le=_MOST_VERSION)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
FieldText = Annotated[str, Field(max_length=LONGEST_TEXT)]
Texts = Annotated[dict[FieldName, FieldText], Field(min_length=1, max_length=100), AfterValidator(in_unicode)]
Reason = Annotated[str | None, Field(max_length=2_000, description="Why; kept with the version.")]


class MemoryOf(BaseModel):
    """Whose a block is: a project's or a user's; without an id, the caller's own."""

    model_config = ConfigDict(extra="forbid")

    type: MemoryOwner = MemoryOwner.USER
    id: Annotated[str | None, Field(min_length=1, max_length=128)] = None

    @model_validator(mode="after")
    def _names_its_project(self) -> Self:
        if self.type is MemoryOwner.PROJECT and self.id is None:
            raise ValueError("id: says which project's memory it is")
        return self


class MemoryBeginning(BaseModel):
    """What somebody writes into a block that nobody has written yet."""

    model_config = ConfigDict(extra="forbid")

    owner: MemoryOf = MemoryOf()
    label: FieldName
    fields: Texts
    reason: Reason = None


class MemoryEdit(BaseModel):
    """What somebody writes into a block. Fields that it does not name stay, one with an empty text goes.

    `base_version` is the version that he had before him: on a newer one nothing is written.
    """

    model_config = ConfigDict(extra="forbid")

    fields: Texts
    base_version: Number
    reason: Reason = None


class MemoryRestore(BaseModel):
    """Which version is to be there again; with `base_version` only while the block is at that one."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=1, le=_MOST_VERSION)]
    base_version: Number | None = None
    reason: Reason = None


@router.post("/api/memory", response_model=BlockView, status_code=201, responses=problems(409))
async def begin_block(request: Request, beginning: MemoryBeginning) -> Response:
    """Write the first version of a block; one that is there already is left alone, which a 409 says."""
    gateway, caller = gateway_of(request), await caller_of(request)
    owner = Owner(beginning.owner.type, beginning.owner.id or caller.user)
    block = await own_block(gateway, caller, owner, beginning.label)
    writing = Writing(caller.user, gateway.clock(), beginning.reason)
    written = await gateway.memory_history.begin(block, beginning.fields, writing)
    log.info("memory.edited", block_id=written.id, version=written.version, by=caller.user)
    return json_answer(block_view(written), HTTPStatus.CREATED)


@router.get("/api/memory/{block_id}", response_model=BlockView)
async def get_block(request: Request, block_id: str) -> Response:
    """Return one block as it is now."""
    gateway, caller = gateway_of(request), await caller_of(request)
    return json_answer(block_view(await visible_block(gateway, caller, block_id)))


@router.get("/api/memory/{block_id}/versions", response_model=VersionList)
async def list_versions(
    request: Request, block_id: str, limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: str | None = None
) -> Response:
    """List the versions of a block, the newest first."""
    gateway, caller = gateway_of(request), await caller_of(request)
    block = await visible_block(gateway, caller, block_id)
    found = await gateway.memory_history.page(block.id, _before(cursor), limit + 1)
    shown = found[:limit]
    next_cursor = str(shown[-1]["version"]) if len(found) > limit else None
    return json_answer({"versions": [version_view(each) for each in shown], "next_cursor": next_cursor})


@router.get("/api/memory/{block_id}/versions/{number}", response_model=VersionView)
async def get_version(request: Request, block_id: str, number: Version) -> Response:
    """Return one version of a block, with who made it, when, how and why."""
    gateway, caller = gateway_of(request), await caller_of(request)
    block = await visible_block(gateway, caller, block_id)
    return json_answer(version_view(await gateway.memory_history.version(block.id, number)))


@router.get("/api/memory/{block_id}/diff", response_model=DiffView)
async def get_diff(
    request: Request,
    block_id: str,
    from_version: Annotated[int, Query(alias="from", ge=0, le=_MOST_VERSION, description="0 is before the first one.")],
    to_version: Annotated[int, Query(alias="to", ge=0, le=_MOST_VERSION)],
) -> Response:
    """Return what differs between two versions of a block, word by word."""
    gateway, caller = gateway_of(request), await caller_of(request)
    block = await visible_block(gateway, caller, block_id)
    before, after = [await gateway.memory_history.version(block.id, each) for each in (from_version, to_version)]
    return json_answer(diff_view(from_version, to_version, fields_diff(before["fields"], after["fields"])))


@router.put("/api/memory/{block_id}", response_model=BlockView, responses=problems(409))
async def edit_block(request: Request, block_id: str, edit: MemoryEdit) -> Response:
    """Write fields of a block, as a new version, unless it has changed since `base_version`."""
    gateway, caller = gateway_of(request), await caller_of(request)
    block = await visible_block(gateway, caller, block_id)
    writing = Writing(caller.user, gateway.clock(), edit.reason, edit.base_version)
    written = await gateway.memory_history.edit(block, edit.fields, writing)
    log.info("memory.edited", block_id=block_id, version=written.version, by=caller.user)
    return json_answer(block_view(written))


@router.post("/api/memory/{block_id}/restore", response_model=BlockView, responses=problems(409))
async def restore_block(request: Request, block_id: str, restore: MemoryRestore) -> Response:
    """Write a new version that equals an earlier one; what came between stays in the history."""
    gateway, caller = gateway_of(request), await caller_of(request)
    block = await visible_block(gateway, caller, block_id)
    writing = Writing(caller.user, gateway.clock(), restore.reason, restore.base_version)
    written = await gateway.memory_history.restore(block, restore.version, writing)
    log.info("memory.restored", block_id=block_id, version=written.version, of=restore.version, by=caller.user)
    return json_answer(block_view(written))


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise RequestInvalid(f"'{cursor[:64]}' is not a cursor of this list; use 'next_cursor' as it was given.")
    return int(cursor)
