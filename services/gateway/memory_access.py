"""Whose memory a caller may see and write: his own, and that of his projects; a backend or an admin everybody's."""

from contracts.agents import MemoryOwner
from services.gateway.auth import Caller
from services.gateway.problems import Forbidden
from services.gateway.state import Gateway
from shared.domain.memory import Owner
from shared.errors import NotFound
from shared.store.memory import MemoryBlock


async def check_member(gateway: Gateway, caller: Caller, project: str) -> None:
    """Raise Forbidden unless the memory of this project is the caller's to see."""
    if not await _is_owner(gateway, caller, Owner(MemoryOwner.PROJECT, project)):
        raise Forbidden(f"You are not a member of project '{project}'.")


async def own_block(gateway: Gateway, caller: Caller, owner: Owner, label: str) -> MemoryBlock:
    """Return the block of this label that the owner has nothing in yet, or raise Forbidden."""
    if not await _is_owner(gateway, caller, owner):
        raise Forbidden(f"The memory of {owner.type} '{owner.id}' is not yours to write.")
    return MemoryBlock(caller.organisation, owner, label, {}, 0)


async def visible_block(gateway: Gateway, caller: Caller, block_id: str) -> MemoryBlock:
    """Return a block of the caller's organisation, or raise NotFound; what is not his to see does not exist for him."""
    block = await gateway.memory_history.block(caller.organisation, block_id)
    if not await _is_owner(gateway, caller, block.owner):
        raise NotFound("There is no such memory block, or it is not yours to see.")
    return block


async def _is_owner(gateway: Gateway, caller: Caller, owner: Owner) -> bool:
    if caller.sees_organisation:
        return True
    if owner.type is MemoryOwner.USER:
        return owner.id == caller.user
    return owner.id in caller.projects or await gateway.members.is_member(caller.organisation, owner.id, caller.user)
