"""GET /api/memory: the memory blocks of a user and of a project."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from contracts.agents import MemoryOwner
from services.gateway.answers import json_answer
from services.gateway.memory_access import check_member
from services.gateway.state import caller_of, gateway_of
from services.gateway.views import MemoryAnswer, block_view
from shared.domain.memory import Owner

router = APIRouter(tags=["memory"])


@router.get("/api/memory", response_model=MemoryAnswer)
async def get_memory(
    request: Request,
    user: Annotated[str | None, Query(description="Another user, for backends and admins.")] = None,
    project: Annotated[str | None, Query(description="Also the memory of this project, for its members.")] = None,
    label: str | None = None,
) -> Response:
    """Return the blocks of the signed-in user, and of a project when one is named, by label."""
    gateway, caller = gateway_of(request), await caller_of(request)
    owners = [Owner(MemoryOwner.USER, caller.on_behalf_of(user))]
    if project is not None:
        await check_member(gateway, caller, project)
        owners.append(Owner(MemoryOwner.PROJECT, project))
    blocks = await gateway.memory.of_owners(caller.organisation, owners, label)
    return json_answer({"blocks": [block_view(block) for block in blocks]})
