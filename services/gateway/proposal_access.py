"""Whose proposals a caller may see, and so decide."""

from typing import Any

from services.gateway.auth import Caller
from services.gateway.state import Gateway

Document = dict[str, Any]


def visible_to(caller: Caller) -> Document:
    """Return the query for the proposals of the caller's organisation that are his to decide."""
    return {"organisation": caller.organisation, **({} if caller.sees_organisation else {"user": caller.user})}


async def visible_proposal(gateway: Gateway, caller: Caller, proposal_id: str) -> Document:
    """Return a proposal that is the caller's to decide, or raise NotFound."""
    return await gateway.proposals.get({**visible_to(caller), "_id": proposal_id})
