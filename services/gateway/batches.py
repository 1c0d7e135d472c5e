"""Batches that people ask for: for whom, and how many of them at a time."""

from collections.abc import Sequence
from typing import Annotated
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from contracts.batches import MOST_USERS, BatchSize, BatchWanted
from contracts.envelope import Identifier
from contracts.filters import MemberFilter
from contracts.manual_runs import AgentExecuteRequested, AgentExecuteRequestedData, ManualTarget
from services.gateway.auth import Caller
from services.gateway.fields import Object
from services.gateway.manual_runs import check_startable, runnable, start
from services.gateway.problems import Forbidden, RequestInvalid
from services.gateway.state import Gateway
from shared.domain.batch import TARGET
from shared.domain.run import RunStatus
from shared.domain.serving import serves
from shared.errors import Conflict
from shared.store.members import Member
from shared.store.mongo import Document

_SOURCE = "/towpath/gateway/batches"


class BatchNotResumable(Conflict):
    """The run is no batch, or every run of it has completed."""

    code = "batch_not_resumable"


class BatchRequest(BaseModel):
    """For whom an Agent is to run: these users, or the members that a filter serves, of one project or of all.

    `batch_size` is how many runs are open at a time; that of the Agent without it. The same `request_id` again is the
    same batch.
    """

    model_config = ConfigDict(extra="forbid")

    users: Annotated[list[Identifier] | None, Field(min_length=1, max_length=MOST_USERS)] = None
    user_filter: Annotated[
        MemberFilter | None, Field(description="`all`, or a CEL expression over `member`; instead of `users`.")
    ] = None
    project: Identifier | None = None
    batch_size: BatchSize | None = None
    input: Object | None = None
    request_id: Identifier | None = None


async def start_batch(gateway: Gateway, caller: Caller, key: str, wanted: BatchRequest) -> Document:
    """Have the batch accepted and gated, and return its run and for how many users it is.

    Raises RequestInvalid, Forbidden, NotFound, the Conflicts that keep people from starting an Agent, and BodyTooLarge.
    """
    users = await _users(gateway, caller, wanted)
    found = await runnable(gateway, caller, key, wanted.project, caller.user)
    check_startable(found)
    request_id = wanted.request_id or uuid4().hex
    data = AgentExecuteRequestedData(
        agent_key=key,
        requested_by=caller.user,
        target=ManualTarget(type=TARGET, id=request_id),
        input=wanted.input,
        batch=BatchWanted(users=tuple(users), size=wanted.batch_size or found.version.spec.batch_size),
    )
    event = AgentExecuteRequested(
        id=request_id,
        source=_SOURCE,
        organisationid=caller.organisation,
        projectid=wanted.project,
        userid=caller.user,
        data=data,
    )
    return {**await start(gateway, event, found.version.number), "users_total": len(users)}


def check_may_run_for(caller: Caller, users: Sequence[str] | None) -> None:
    """Raise Forbidden unless the caller may start runs for these users, or for whoever a filter finds."""
    if not caller.sees_organisation and set(users or ()) != {caller.user}:
        raise Forbidden("Running an Agent for other users takes the role backend or organisation_admin.")


async def _users(gateway: Gateway, caller: Caller, wanted: BatchRequest) -> list[str]:
    if (wanted.users is None) is (wanted.user_filter is None):
        raise RequestInvalid("users: say either 'users', or 'user_filter' with 'all' or an expression over 'member'.")
    check_may_run_for(caller, wanted.users)
    if wanted.users is not None:
        return list(dict.fromkeys(wanted.users))
    members = await gateway.members.of_organisation(caller.organisation, wanted.project)
    served = {each.user for each in members if _is_served(wanted.user_filter or "", each)}
    if not served:
        raise RequestInvalid(f"user_filter: no member matches '{wanted.user_filter}' here.")
    if len(served) > MOST_USERS:
        raise RequestInvalid(
            f"user_filter: {len(served)} users match; the most is {MOST_USERS}. Narrow it, or name a project."
        )
    return sorted(served)


def _is_served(user_filter: str, member: Member) -> bool:
    return serves(user_filter, member.organisation, member.project, member.user, member.timezone)


async def resume(gateway: Gateway, run: Document) -> None:
    """Have a batch that has ended start runs for the users whose last one did not complete; once, however often it is asked.

    Raises BatchNotResumable.
    """
    batch = run.get("batch")
    if batch is None:
        raise BatchNotResumable(
            f"Run '{run['_id']}' is no batch; POST /api/dead-letters/{run['_id']}/redrive is for one run."
        )
    if run["status"] == RunStatus.COMPLETED and not batch["progress"]["partial"]:
        raise BatchNotResumable(f"Every run of batch '{run['_id']}' has completed; there is nothing to resume.")
    if run["status"] in (RunStatus.COMPLETED, RunStatus.CANCELLED):
        await gateway.runs.resume_batch(run, gateway.clock())
