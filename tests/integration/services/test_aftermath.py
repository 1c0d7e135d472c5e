"""What follows from a failed run: it is kept for a person, once however often its end is followed."""

from datetime import UTC, datetime, timedelta

from shared.admission import Admission
from shared.aftermath import Aftermath
from shared.clock import utc_now
from shared.domain.run import RunError, RunStatus
from shared.domain.slot import QueueLimits
from shared.follow_ups import FollowUps
from shared.messaging.publisher import Publisher
from shared.store.dead_letters import DeadLetterStore
from shared.store.jobs import JobStore
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from shared.store.run_documents import Commit
from shared.store.runs import RunStore
from shared.store.sessions import SessionStore
from shared.store.slots import SlotStore
from tests.integration.store.given import USED, claimed, completing, run_of
from tests.unit.shared.given import Document

# Of today, because the server deletes what has expired.
NOW = datetime.now(UTC).replace(microsecond=0)


def aftermath(mongo: Mongo, publisher: Publisher) -> Aftermath:
    runs, database = RunStore(mongo.database), mongo.database
    admission = Admission(SlotStore(database), runs, publisher, QueueLimits(organisation=512), utc_now)
    follow_ups = FollowUps(SessionStore(database), JobStore(database), utc_now)
    return Aftermath(runs, ProposalStore(mongo), DeadLetterStore(database), follow_ups, admission, publisher)


async def fail(mongo: Mongo, run_id: str, at: datetime) -> Document:
    """Claim a run, and end it as failed."""
    runs = RunStore(mongo.database)
    claim = await claimed(runs, run_id)
    await runs.write_fenced([Commit(claim, RunStatus.FAILED, at, USED, error=RunError("model_refused", "Declined."))])
    return await run_of(mongo, run_id)


async def letters(mongo: Mongo) -> list[Document]:
    return await mongo.database["dead_letters"].find({}).to_list(None)


async def test_a_failed_run_is_kept_as_a_dead_letter_and_a_completed_one_is_not(
    mongo: Mongo, publisher: Publisher
) -> None:
    runs = RunStore(mongo.database)
    failed = await fail(mongo, "run_1", NOW)
    await runs.write_fenced([completing(await claimed(runs, "run_2"))])

    await aftermath(mongo, publisher).follow([failed, await run_of(mongo, "run_2")])

    (letter,) = await letters(mongo)
    assert (letter["_id"], letter["kind"], letter["status"]) == ("run_1", "run", "open")
    assert (letter["code"], letter["reason"], letter["agent_key"]) == ("model_refused", "Declined.", "noter")


async def test_a_failure_that_is_followed_late_does_not_open_a_letter_that_was_decided(
    mongo: Mongo, publisher: Publisher
) -> None:
    follows, runs = aftermath(mongo, publisher), RunStore(mongo.database)
    failed = await fail(mongo, "run_1", NOW)
    await follows.tell([failed])

    # Redriven before the sweep comes across the first failure once more.
    await runs.redrive(["run_1"], NOW)
    await follows.tell([failed])
    (once,) = await letters(mongo)
    await mongo.database["runs"].update_one({"_id": "run_1"}, {"$set": {"waiting_for": None}})
    await follows.tell([await fail(mongo, "run_1", NOW + timedelta(seconds=3))])
    (twice,) = await letters(mongo)

    assert (once["count"], twice["count"], twice["status"]) == (1, 2, "open")
    assert twice["last_at"] == NOW + timedelta(seconds=3)


async def test_without_nats_a_failure_is_kept_all_the_same(mongo: Mongo) -> None:
    failed = await fail(mongo, "run_1", NOW)

    is_followed = await aftermath(mongo, Publisher()).follow([failed])

    assert (is_followed, len(await letters(mongo))) == (False, 1)
