"""Which Agents may be shown as models to chat with, and what whoever tries to chat with one is told."""

from typing import NoReturn

from services.gateway.agent_access import chosen, the_agent
from services.gateway.auth import Caller
from services.gateway.problems import Forbidden
from services.gateway.state import Gateway
from shared.errors import Conflict
from shared.store.agent_documents import VersionRecord


class AgentHidden(Forbidden):
    """Nobody chats with this Agent: it works in the background."""

    code = "agent_hidden"


class ChatUnsupported(Conflict):
    """Agents here work on events, and a thread is the record of a run."""

    code = "chat_unsupported"


async def shown_models(gateway: Gateway, caller: Caller) -> list[VersionRecord]:
    """Return the published versions of the caller's Agents that are not hidden, by key."""
    agents = chosen(await gateway.agent_records.visible(caller.organisation), caller).values()
    versions = await gateway.agent_records.published_of(agents)
    published = [versions[agent.id] for agent in agents if agent.id in versions and not agent.is_archived]
    return [version for version in published if not version.spec.hidden]


async def refuse_chat(gateway: Gateway, caller: Caller, key: str) -> NoReturn:
    """Raise AgentHidden or ChatUnsupported with what to do instead; NotFound when there is no such Agent for the caller."""
    agent = await the_agent(gateway, caller, key)
    version = (await gateway.agent_records.published_of([agent])).get(agent.id)
    raise _refusal(key, is_hidden=version is None or version.spec.hidden)


def refuse_answer(key: str, *, is_hidden: bool) -> NoReturn:
    """Raise AgentHidden or ChatUnsupported for an Agent that is known."""
    raise _refusal(key, is_hidden=is_hidden)


def _refusal(key: str, *, is_hidden: bool) -> AgentHidden | ChatUnsupported:
    if is_hidden:
        code, detail = (
            AgentHidden.code,
            (
                f"Agent '{key}' is hidden: it works in the background. Its threads can be read (GET /api/threads), and nobody"
                " starts or continues a chat with it."
            ),
        )
    else:
        code, detail = (
            ChatUnsupported.code,
            (
                f"Agent '{key}' answers no chat: it works on events. Publish the event that it reacts to (POST /api/events),"
                f" or start it by hand (POST /api/agents/{key}/execute); its answer is the thread of that run."
            ),
        )
    # Under `error`, clients of OpenAI's interface look for it.
    facts = {"error": {"message": detail, "type": "invalid_request_error", "code": code}}
    return AgentHidden(detail, **facts) if is_hidden else ChatUnsupported(detail, **facts)
