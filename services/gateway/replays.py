"""Replays that people ask for: which version is run on which past runs."""

from hashlib import blake2b
from typing import Annotated, Any
from uuid import uuid4

import orjson
from pydantic import BaseModel, ConfigDict, Field

from contracts.agents import AgentSpec
from contracts.envelope import Identifier
from contracts.fields import Number
from services.gateway.agent_access import check_may_write
from services.gateway.agent_drafts import fit, the_version
from services.gateway.agent_problems import RequestIdReused
from services.gateway.auth import Caller, Role
from services.gateway.problems import Forbidden, RequestInvalid
from services.gateway.state import Gateway
from shared.domain.agent_id import version_id
from shared.domain.replaying import DRAFT, MOST_RUNS, NewReplay, draft_version_id, replay_id
from shared.store.agent_documents import AgentRecord

Document = dict[str, Any]
_ADMINS = frozenset({Role.ORGANISATION_ADMIN, Role.SERVER_ADMIN})


class RunsWanted(BaseModel):
    """Which past runs: those of these ids, or the latest that completed or failed, of all versions or of one."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[Identifier] | None, Field(min_length=1, max_length=MOST_RUNS)] = None
    latest: Annotated[int | None, Field(ge=1, le=MOST_RUNS)] = None
    version: Number | None = None


class ReplayRequest(BaseModel):
    """What is to be replayed: a version, or the draft as it is now, on past runs. The same `request_id` is the same replay."""

    model_config = ConfigDict(extra="forbid")

    version: Number | None = None
    draft: bool = False
    runs: RunsWanted
    request_id: Identifier | None = None


def check_unambiguous(wanted: ReplayRequest) -> None:
    """Raise RequestInvalid, which names the field, for a request that says too little or too much."""
    if (wanted.version is None) is not wanted.draft:
        raise RequestInvalid("version: say which version is to be run, or 'draft': true, and not both.")
    if (wanted.runs.ids is None) is (wanted.runs.latest is None):
        raise RequestInvalid("runs: say either 'ids', or 'latest' with how many.")
    if wanted.runs.version is not None and wanted.runs.latest is None:
        raise RequestInvalid("runs.version: only 'latest' takes a version; leave it out beside 'ids'.")


def check_may_replay(caller: Caller) -> None:
    """Raise Forbidden unless the caller may spend the organisation's tokens on other people's runs."""
    if caller.roles.isdisjoint(_ADMINS):
        raise Forbidden("Replaying the runs of an organisation takes the role organisation_admin.")


def check_may_see(caller: Caller) -> None:
    """Raise Forbidden for those who may not see the runs of others."""
    if not caller.sees_organisation:
        raise Forbidden("Replays show the runs of all users, which takes the role organisation_admin or backend.")


async def start(gateway: Gateway, caller: Caller, agent: AgentRecord, wanted: ReplayRequest) -> Document:
    """Store the replay and return it, or the one that this request has started before.

    Raises RequestInvalid, NotFound, Forbidden for a draft that is not the caller's to see, and RequestIdReused.
    """
    request_id = wanted.request_id or uuid4().hex
    asked = orjson.dumps(wanted.model_dump(exclude={"request_id"}), option=orjson.OPT_SORT_KEYS)
    request_hash = blake2b(asked, digest_size=16).hexdigest()
    id_ = replay_id(caller.organisation, agent.id, request_id)
    replay = await gateway.replays.get(id_, caller.organisation, agent.key)
    if replay is None:
        spec = await _spec(gateway, caller, agent, wanted.version)
        originals = await _originals(gateway, caller, agent, wanted.runs)
        new = NewReplay(
            organisation=caller.organisation,
            agent_id=agent.id,
            agent_key=agent.key,
            agent_version=wanted.version or DRAFT,
            agent_version_id=_pinned_to(agent, wanted.version, id_),
            draft_json=spec.model_dump_json() if wanted.version is None else None,
            request_id=request_id,
            request_hash=request_hash,
            requested_by=caller.user,
            created_at=gateway.clock(),
        )
        replay = await gateway.replays.start(new, spec, originals)
    if replay["request_hash"] != request_hash:
        raise RequestIdReused(f"request_id: '{request_id}' was used for another request; choose a new one.")
    return replay


async def _spec(gateway: Gateway, caller: Caller, agent: AgentRecord, version: int | None) -> AgentSpec:
    if version is not None:
        return (await the_version(gateway, agent, version)).spec
    check_may_write(caller, agent.organisation, agent.key)
    if agent.draft is None:
        raise RequestInvalid(f"draft: Agent '{agent.key}' has none. PUT /api/agents/{agent.key} writes one.")
    return fit(agent.draft.content)


def _pinned_to(agent: AgentRecord, version: int | None, replay: str) -> str:
    if version is None:
        return draft_version_id(agent.id, replay)
    return version_id(agent.organisation, agent.key, version)


async def _originals(gateway: Gateway, caller: Caller, agent: AgentRecord, wanted: RunsWanted) -> list[Document]:
    """Return the runs to be replayed, or raise RequestInvalid, which names the first that cannot be."""
    ids = None if wanted.ids is None else list(dict.fromkeys(wanted.ids))
    found = await gateway.replays.originals(caller.organisation, agent.id, wanted.latest, wanted.version, ids)
    known = {run["_id"] for run in found}
    missing = next((each for each in ids or () if each not in known), None)
    if missing is not None:
        raise RequestInvalid(
            f"runs.ids: '{missing}' is no completed or failed run of Agent '{agent.key}' in your organisation."
        )
    if not found:
        raise RequestInvalid(f"runs: Agent '{agent.key}' has no completed or failed run that matches.")
    return found
