"""Queueing, claiming and keeping runs: one runner at a time has a run, whoever asks and whenever."""

import asyncio

from shared.domain.run import Claim, RunError, RunStatus
from shared.store.mongo import Mongo
from shared.store.run_documents import Admitted, run_document
from shared.store.run_ends import Cancel
from shared.store.runs import RunStore
from tests.integration.store.given import LEASE_SECONDS, claimed, completing, expire_lease, queued, retrying, run_of
from tests.unit.shared.given import LATER, a_new_run


async def test_a_run_is_queued_once_however_often_it_is_added(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)

    first = await runs.add([a_new_run("run_1"), a_new_run("run_2")])
    again = await runs.add([a_new_run("run_2", agent_key="other"), a_new_run("run_3"), a_new_run("run_3")])

    assert (first, again) == (set(), {"run_2", "run_3"})
    assert await run_of(mongo, "run_2") == run_document(a_new_run("run_2"))
    assert await mongo.database["runs"].count_documents({}) == 3


async def test_adding_nothing_is_nothing(mongo: Mongo) -> None:
    assert await RunStore(mongo.database).add([]) == set()


async def test_a_claim_makes_the_run_the_owners_next_attempt(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1")

    (run,) = await runs.claim(["run_1"], "runner-1", LEASE_SECONDS)

    assert (run["status"], run["attempt"], run["owner"]) == (RunStatus.RUNNING, 1, "runner-1")
    assert run["started_at"] == run["changed_at"]
    assert (run["lease_expires_at"] - run["changed_at"]).total_seconds() == LEASE_SECONDS
    assert run["sweep_at"] == run["lease_expires_at"]
    assert run == await run_of(mongo)


async def test_a_run_that_nobody_has_touched_since_is_claimed_without_being_read(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", "run_2")
    as_queued = [await run_of(mongo, "run_1"), await run_of(mongo, "run_2")]

    won = await runs.claim_untouched(as_queued, "runner-1", LEASE_SECONDS, LATER)

    for run in won:
        stored = await run_of(mongo, run["_id"])
        assert (stored["status"], stored["attempt"], stored["owner"]) == (RunStatus.RUNNING, 1, "runner-1")
        assert (stored["started_at"], stored["changed_at"]) == (LATER, LATER)
        lease = {"lease_expires_at": stored["lease_expires_at"], "sweep_at": stored["lease_expires_at"]}
        assert stored == run | lease
    assert len(won) == 2


async def test_of_runs_that_were_touched_since_they_were_queued_none_is_claimed_as_it_was(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    ids = ["run_claimed", "run_cancelled", "run_looked_at", "run_redriven", "run_asked_to_end", "run_untouched"]
    await queued(runs, *ids)
    as_queued = [await run_of(mongo, each) for each in ids]
    await runs.claim(["run_claimed"], "runner-2", LEASE_SECONDS)
    await runs.cancel({"_id": "run_cancelled"}, Cancel("ada", LATER))
    await runs.sweep_again_at([("run_looked_at", LATER)])
    await runs.fail_queued([("run_redriven", RunError("queue_timed_out", "It waited."))], LATER)
    await runs.redrive(["run_redriven"], LATER)
    await mongo.database["runs"].update_one({"_id": "run_asked_to_end"}, {"$set": {"cancel": {"by": "ada"}}})

    won = await runs.claim_untouched(as_queued, "runner-1", LEASE_SECONDS, LATER)

    assert [run["_id"] for run in won] == ["run_untouched"]
    assert won == [await run_of(mongo, "run_untouched")]
    assert await runs.claim_untouched(as_queued, "runner-3", LEASE_SECONDS, LATER) == []
    assert (await run_of(mongo, "run_looked_at"))["status"] == RunStatus.QUEUED


async def test_runs_of_different_times_are_claimed_untouched_in_one(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await runs.add([a_new_run("run_1"), a_new_run("run_2", queued_at=LATER)])
    as_queued = [await run_of(mongo, "run_1"), await run_of(mongo, "run_2")]
    swapped = [one | {"sweep_at": other["sweep_at"]} for one, other in zip(as_queued, reversed(as_queued), strict=True)]

    assert await runs.claim_untouched(swapped, "runner-1", LEASE_SECONDS, LATER) == []
    won = await runs.claim_untouched(as_queued, "runner-1", LEASE_SECONDS, LATER)

    assert [run["_id"] for run in won] == ["run_1", "run_2"]


async def test_racing_claims_have_exactly_one_winner_for_each_run(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    ids = [f"run_{number}" for number in range(40)]
    await queued(runs, *ids)

    won = await asyncio.gather(*(runs.claim(ids, f"runner-{number}", LEASE_SECONDS) for number in range(8)))

    assert sorted(run["_id"] for claims in won for run in claims) == sorted(ids)
    for number, claims in enumerate(won):
        assert {(run["owner"], run["attempt"]) for run in claims} <= {(f"runner-{number}", 1)}


async def test_a_claim_returns_what_it_has_won_and_not_what_its_owner_had_before(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", "run_2", "run_3")
    await runs.claim(["run_1"], "runner-1", LEASE_SECONDS)
    await runs.claim(["run_2"], "runner-2", LEASE_SECONDS)

    won = await runs.claim(["run_1", "run_2", "run_3", "run_4"], "runner-1", LEASE_SECONDS)

    assert [run["_id"] for run in won] == ["run_3"]


async def test_a_run_with_a_living_lease_cannot_be_claimed(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await claimed(runs)

    assert await runs.claim(["run_1"], "runner-1", LEASE_SECONDS) == []
    assert (await run_of(mongo))["attempt"] == 1


async def test_a_run_whose_lease_ran_out_is_claimed_as_the_next_attempt(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    first = await claimed(runs, lease_seconds=-1)
    started_at = (await run_of(mongo))["started_at"]

    (run,) = await runs.claim(["run_1"], "runner-2", LEASE_SECONDS)

    assert (run["attempt"], run["owner"]) == (first.attempt + 1, "runner-2")
    assert run["started_at"] == started_at


async def test_a_run_that_waits_cannot_be_claimed_until_it_is_admitted(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await runs.write_fenced([retrying(await claimed(runs))])

    before = await runs.claim(["run_1"], "runner-2", LEASE_SECONDS)
    await runs.admit([Admitted("run_1", 1, (), is_express=False)], LATER)
    after = await runs.claim(["run_1"], "runner-2", LEASE_SECONDS)

    assert before == []
    assert [run["attempt"] for run in after] == [2]


async def test_a_run_that_has_ended_cannot_be_claimed(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await runs.write_fenced([completing(await claimed(runs))])

    assert await runs.claim(["run_1"], "runner-2", LEASE_SECONDS) == []


async def test_a_heartbeat_extends_every_lease_that_stands(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    claims = [await claimed(runs, run_id, lease_seconds=5) for run_id in ("run_1", "run_2")]

    assert await runs.extend_leases(claims, "runner-1", 500) == []

    for claim in claims:
        run = await run_of(mongo, claim.run_id)
        assert (run["lease_expires_at"] - run["changed_at"]).total_seconds() >= 500
        assert run["sweep_at"] == run["lease_expires_at"]


async def test_a_heartbeat_names_the_claims_that_were_lost(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    kept, ended, taken, unknown = [
        *[await claimed(runs, run_id) for run_id in ("run_kept", "run_ended", "run_taken")],
        Claim("run_unknown", 1, "runner-1"),
    ]
    await runs.write_fenced([completing(ended)])
    await expire_lease(mongo, "run_taken")
    await runs.claim(["run_taken"], "runner-2", LEASE_SECONDS)

    lost = await runs.extend_leases([kept, ended, taken, unknown], "runner-1", LEASE_SECONDS)

    assert lost == [ended, taken, unknown]


async def test_a_claim_that_its_own_runner_has_taken_again_is_lost(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    stale = await claimed(runs, lease_seconds=-1)
    current = await claimed(runs)
    before = (await run_of(mongo))["lease_expires_at"]

    lost = await runs.extend_leases([stale], "runner-1", LEASE_SECONDS * 10)

    assert lost == [stale]
    assert (await run_of(mongo))["lease_expires_at"] == before
    assert await runs.extend_leases([stale, current], "runner-1", LEASE_SECONDS) == [stale]


async def test_a_lease_that_ran_out_is_extended_while_nobody_has_taken_the_run(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    claim = await claimed(runs, lease_seconds=-1)

    assert await runs.extend_leases([claim], "runner-1", LEASE_SECONDS) == []
    assert await runs.claim(["run_1"], "runner-2", LEASE_SECONDS) == []


async def test_a_heartbeat_without_claims_asks_nobody(mongo: Mongo) -> None:
    assert await RunStore(mongo.database).extend_leases([], "runner-1", LEASE_SECONDS) == []
