"""What tests of the stores put into them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.domain.event import AcceptedEvent, accepted_event
from shared.domain.run import Claim, RunError, RunStatus, Usage, Waiting
from shared.store.mongo import Mongo
from shared.store.run_documents import Commit, Return, waiting_document
from shared.store.runs import RunStore
from tests.unit.shared.given import LATER, Document, a_new_run, an_event

LEASE_SECONDS = 60.0
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
USED = Usage(12, 7, 1)
HUNG_UP = RunError("model_unavailable", "It hung up.")


def accepted(id: str, at: datetime = LATER, **attributes: Any) -> AcceptedEvent:
    """Return an event of the organisation acme as it is accepted."""
    event = an_event(id=id, organisationid="acme", **attributes)
    return accepted_event(event, event.to_json().decode(), at)


async def queued(runs: RunStore, *ids: str, **changes: Any) -> None:
    """Queue runs with these ids."""
    await runs.add([a_new_run(run_id, **changes) for run_id in ids])


async def claimed(
    runs: RunStore, id: str = "run_1", owner: str = "runner-1", lease_seconds: float = LEASE_SECONDS
) -> Claim:
    """Claim a run that is free, queueing it first when there is none."""
    await queued(runs, id)
    (run,) = await runs.claim([id], owner, lease_seconds)
    return Claim(id, run["attempt"], owner)


def completing(claim: Claim, **changes: Any) -> Commit:
    """Return the commit of a run that is done."""
    return Commit(claim, RunStatus.COMPLETED, LATER, USED, '{"summary":"well"}', **changes)


def retrying(claim: Claim, until: datetime = LATER, **changes: Any) -> Return:
    """Return the write after which a run waits for its next attempt."""
    waiting = waiting_document(Waiting.RETRY, LATER, until=until, detail=HUNG_UP.code)
    return replace(Return(claim, LATER, USED, HUNG_UP, waiting), **changes)


async def run_of(mongo: Mongo, id: str = "run_1") -> Document:
    """Return a run as it is stored."""
    run: Document | None = await mongo.database["runs"].find_one({"_id": id})
    assert run is not None
    return run


async def expire_lease(mongo: Mongo, id: str = "run_1") -> None:
    """Let the lease of a run have run out long ago."""
    await mongo.database["runs"].update_one({"_id": id}, {"$set": {"lease_expires_at": LONG_AGO, "sweep_at": LONG_AGO}})
