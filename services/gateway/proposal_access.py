"""Whose proposals a caller may see, and so decide."""

from typing import Any

from services.gateway.auth import Caller
from services.gateway.state import Gateway

Document = dict[str, Any]


async def visible_proposal(gateway: Gateway, caller: Caller, proposal_id: str) -> Document:
    """Return a proposal of the caller's organisation that is his to decide, or raise NotFound."""
    query: Document = {"_id": proposal_id, "organisation": caller.organisation}
    if not caller.sees_organisation:
        query["user"] = caller.user
    return await gateway.proposals.get(query)
