"""Every invariant is noticed when it is broken, and the document that breaks it is named."""

from datetime import timedelta

import pytest

from shared.doctor.checks import CHECKS, LIGHT
from shared.doctor.examination import Diagnosis, Examination
from shared.store.inspection import Inspection
from shared.store.mongo import Mongo
from tests.integration.doctor.given import OLD, Damage, a_run, added, an_event, an_open_run, changed, fill, without

NAMES = {check.name for check in CHECKS}
LOST_LEASE = {"status": "running", "attempt": 1, "lease_expires_at": OLD}
DAMAGES: dict[str, tuple[str, Damage, str]] = {
    "event not gated": (
        "event_undecided",
        added("events", {"_id": "late", "gated": False, "accepted_at": OLD, "sweep_at": OLD}),
        "late",
    ),
    "runs not stored": ("event_undecided", changed("events", "event-of-done", sweep_at=OLD), "event-of-done"),
    "run not dispatched": ("run_overdue", changed("runs", "queued", sweep_at=OLD), "queued"),
    "wait over": ("run_overdue", changed("runs", "waiting", sweep_at=OLD), "waiting"),
    "lease over": ("lease_over", changed("runs", "running", lease_expires_at=OLD), "running"),
    "no lease": ("lease_over", without("runs", "running", "lease_expires_at"), "running"),
    "cancel not confirmed": ("cancel_open", changed("runs", "running", cancel={"requested_at": OLD}), "running"),
    "end not followed": ("aftermath_open", changed("runs", "done", sweep_at=OLD), "done"),
    "slot of an ended run": ("slot_held_in_vain", changed("slots", "slot-acme", holders=["done"]), "slot-acme by done"),
    "slot of a waiting run": (
        "slot_held_in_vain",
        changed("slots", "slot-acme", holders=["waiting"]),
        "slot-acme by waiting",
    ),
    "slot of no run": ("slot_held_in_vain", changed("slots", "slot-acme", holders=["gone"]), "slot-acme by gone"),
    "place lost": ("slot_not_held", changed("slots", "slot-acme", holders=["queued"]), "running not in slot-acme"),
    "slot lost": ("slot_not_held", changed("runs", "running", slots=["slot-gone"]), "running not in slot-gone"),
    "slot too full": ("slot_over_limit", changed("slots", "slot-acme", limit=1), "slot-acme"),
    "event out of sight": (
        "event_forgotten",
        added("events", {"_id": "lost", "gated": False, "accepted_at": OLD}),
        "lost",
    ),
    "decisions lost": ("event_forgotten", without("events", "event-of-done", "decisions"), "event-of-done"),
    "run out of sight": ("run_forgotten", without("runs", "queued", "sweep_at"), "queued"),
    "run lost": ("decided_run_missing", without("runs", "done"), "done"),
    "decision lost": ("run_not_decided", changed("events", "event-of-done", decisions=[]), "done"),
    "event lost": ("run_not_decided", without("events", "event-of-done"), "done"),
    "work twice": (
        "run_repeated",
        added("runs", a_run("later", event_key="event-of-done", target={"type": "doc", "id": "done"})),
        "later",
    ),
    "proposal lost": ("effect_missing", without("proposals", "proposal-1"), "done"),
    "proposal twice": ("effect_repeated", added("proposals", {"_id": "proposal-2", "run_id": "done"}), "done"),
    "proposal of a run that goes on": (
        "effect_repeated",
        added("proposals", {"_id": "proposal-2", "run_id": "running"}),
        "running",
    ),
    "proposal of a replay": (
        "effect_repeated",
        added("proposals", {"_id": "proposal-2", "run_id": "replayed"}),
        "replayed",
    ),
    "proposal of no run": ("proposal_orphaned", added("proposals", {"_id": "stray", "run_id": "gone"}), "gone"),
    "approval not told": (
        "approval_untold",
        changed("proposals", "proposal-1", status="approved", kind="epic", decided_at=OLD, evidence=[]),
        "proposal-1:approved",
    ),
    "memory changed twice": (
        "memory_repeated",
        added(
            "memory_versions",
            {"_id": "version-2", "block_id": "block", "version": 2, "author": {"proposal_id": "proposal-1"}},
        ),
        "proposal-1",
    ),
    "dead letter lost": ("dead_letter_missing", without("dead_letters", "failed"), "failed"),
    "end of a job nobody follows": (
        "job_unfollowed",
        added("jobs", {"_id": "silent", "unfollowed_since": OLD, "follow_up": {"run_id": "gone"}}),
        "silent",
    ),
    "end of a job whose run is over": ("job_unfollowed", changed("jobs", "job", follow_up={"run_id": "done"}), "job"),
    "decision without reason": (
        "drop_unexplained",
        changed("events", "event-of-done", decisions=[{"outcome": "skipped", "reason": None}]),
        "event-of-done",
    ),
    "cancelled by nobody": ("cancel_unexplained", changed("runs", "cancelled", cancel=None), "cancelled"),
}


@pytest.fixture(autouse=True)
async def _sound_database(mongo: Mongo) -> None:
    await fill(mongo)


async def diagnose(mongo: Mongo, shown: int = 10, grace_seconds: float = 60) -> Diagnosis:
    examination = Examination(
        Inspection(mongo), timedelta(seconds=grace_seconds), shown, limit_seconds=20, confirm_after_seconds=0
    )
    return await examination.examine(CHECKS)


async def test_a_sound_database_is_clean(mongo: Mongo) -> None:
    diagnosis = await diagnose(mongo)

    assert diagnosis.findings.keys() == NAMES
    assert {name: found for name, found in diagnosis.findings.items() if found.count} == {}
    assert diagnosis.is_clean


@pytest.mark.parametrize(("check", "damage", "id"), DAMAGES.values(), ids=DAMAGES)
async def test_a_broken_invariant_is_named_with_its_document(mongo: Mongo, check: str, damage: Damage, id: str) -> None:
    await damage(mongo)

    diagnosis = await diagnose(mongo)

    assert diagnosis.findings[check].ids == (id,)
    assert not diagnosis.is_clean


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert {check for check, _, _ in DAMAGES.values()} == NAMES


async def test_all_violations_are_counted_and_the_first_are_named(mongo: Mongo) -> None:
    for number in range(7):
        await added("runs", an_open_run(f"lost-{number}", sweep_at=OLD))(mongo)

    found = (await diagnose(mongo, shown=3)).findings["run_overdue"]

    assert (found.count, len(found.ids)) == (7, 3)


async def test_what_is_younger_than_the_grace_is_left_alone(mongo: Mongo) -> None:
    await added("runs", an_open_run("silent", **LOST_LEASE))(mongo)
    await changed("slots", "slot-acme", holders=["queued", "running", "silent"], limit=3)(mongo)
    await added("events", an_event("silent"))(mongo)

    assert not (await diagnose(mongo)).is_clean
    assert (await diagnose(mongo, grace_seconds=3_600)).is_clean


async def test_a_database_that_nobody_has_used_is_clean(mongo: Mongo) -> None:
    for name in await mongo.database.list_collection_names():
        if not name.startswith("system."):
            await mongo.database[name].delete_many({})
    await mongo.database["proposals"].drop()

    assert (await diagnose(mongo)).is_clean


async def test_a_check_that_takes_too_long_is_unknown(mongo: Mongo) -> None:
    hurried = Examination(Inspection(mongo), timedelta(seconds=60), 10, limit_seconds=1e-6, confirm_after_seconds=0)

    diagnosis = await hurried.examine(LIGHT)

    assert set(diagnosis.unknown) == {check.name for check in LIGHT}
    assert not diagnosis.is_clean
