"""Which Agents a caller sees, and which it may write."""

from collections.abc import Iterable

from contracts.agent_kinds import Visibility
from services.gateway.auth import Caller, Role
from services.gateway.problems import Forbidden
from services.gateway.state import Gateway
from shared.errors import NotFound
from shared.store.agent_documents import AgentRecord

_ADMINS = frozenset({Role.ORGANISATION_ADMIN, Role.SERVER_ADMIN})


def owner_of(caller: Caller, visibility: Visibility) -> str:
    """Return whose Agents are meant: the caller's organisation, or empty for the server."""
    return caller.organisation if visibility is Visibility.ORGANISATION else ""


def visibility_of(agent: AgentRecord) -> Visibility:
    return Visibility.ORGANISATION if agent.organisation else Visibility.SERVER


def may_write(caller: Caller, organisation: str) -> bool:
    """Say whether the caller writes the Agents of its organisation, or with an empty one those of the server."""
    if not organisation:
        return Role.SERVER_ADMIN in caller.roles
    return organisation == caller.organisation and not caller.roles.isdisjoint(_ADMINS)


def check_may_write(caller: Caller, organisation: str, key: str) -> None:
    """Raise Forbidden, with what to do instead, unless the caller may."""
    if may_write(caller, organisation):
        return
    if organisation:
        raise Forbidden(f"Writing Agents of organisation '{organisation}' takes the role organisation_admin.")
    raise Forbidden(
        f"Agent '{key}' would be the server's, which takes the role server_admin. An organisation_admin writes one for"
        " the organisation alone: visibility = 'organisation'."
    )


def chosen(agents: Iterable[AgentRecord], caller: Caller) -> dict[str, AgentRecord]:
    """Return what each key means to the caller: the organisation's own Agent, else the server's.

    What is archived comes last, and what is only a draft is there for those who may write it.
    """
    found: dict[str, AgentRecord] = {}
    for agent in sorted(agents, key=lambda each: (not each.is_archived, each.organisation != "")):
        if agent.published is not None or may_write(caller, agent.organisation):
            found[agent.key] = agent
    return dict(sorted(found.items()))


async def the_agent(gateway: Gateway, caller: Caller, key: str, visibility: Visibility | None = None) -> AgentRecord:
    """Return the Agent that this key means to the caller, or raise NotFound; `visibility` says which of the two."""
    agents = await gateway.agent_records.of_key(caller.organisation, key)
    if visibility is not None:
        agents = [agent for agent in agents if visibility_of(agent) is visibility]
    found = chosen(agents, caller).get(key)
    if found is None:
        raise NotFound(f"There is no Agent '{key}' for you. GET /api/agents lists those there are.")
    return found


async def agent_to_write(gateway: Gateway, caller: Caller, key: str, visibility: Visibility | None) -> AgentRecord:
    """Return the Agent that this key means, or raise NotFound, or Forbidden when the caller may not write it."""
    agent = await the_agent(gateway, caller, key, visibility)
    check_may_write(caller, agent.organisation, key)
    return agent
