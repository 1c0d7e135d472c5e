"""What is finished and old is deleted with all that belongs to it, and nothing else is."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.scheduler.history import History, rest_seconds
from services.scheduler.leader import Leader
from shared.doctor.checks import CHECKS
from shared.doctor.examination import Examination
from shared.store.inspection import Inspection
from shared.store.leases import LeaseStore
from shared.store.mongo import Mongo
from shared.store.retention import Retention
from shared.store.tickets import TicketStore
from tests.integration.doctor.given import a_run, an_event, an_open_run
from tests.support.plans import is_indexed, plan_of

KEEP_FOR = timedelta(days=7)
NOW = datetime.now().astimezone()
PAST = NOW - KEEP_FOR - timedelta(seconds=1)
RECENT = NOW - KEEP_FOR + timedelta(seconds=1)


@pytest.fixture
def history(mongo: Mongo) -> History:
    """Return the history of a leading scheduler, whose clock stands still."""
    leader = Leader(LeaseStore(mongo.database), "one", 3)
    leader.is_leading.set()
    return History(Retention(mongo.database), TicketStore(mongo.database), leader, lambda: NOW, KEEP_FOR)


async def put(mongo: Mongo, collection: str, *documents: dict[str, Any]) -> None:
    await mongo.database[collection].insert_many(list(documents))


async def ids(mongo: Mongo, collection: str) -> set[str]:
    return set(await mongo.database[collection].distinct("_id"))


def ended(id: str, at: datetime = PAST, **facts: Any) -> dict[str, Any]:
    return a_run(id, finished_at=at, changed_at=at, effects=[], **facts)


def accepted(run_id: str, at: datetime = PAST, **facts: Any) -> dict[str, Any]:
    return an_event(run_id, accepted_at=at, **facts)


async def test_an_old_run_goes_with_everything_that_belongs_to_it(mongo: Mongo, history: History) -> None:
    await put(mongo, "runs", ended("old", status="failed"), ended("young", RECENT))
    await put(mongo, "events", accepted("old"), accepted("young"))
    for child in ("steps", "bodies"):
        await put(mongo, child, *({"_id": f"{run}:0", "run_id": run} for run in ("old", "young")))
    await put(mongo, "dead_letters", {"_id": "old", "status": "discarded"}, {"_id": "other", "status": "discarded"})

    gone = await history.shorten()

    assert gone == {"runs": 1, "events": 1, "proposals": 0, "replays": 0, "tickets": 0}
    assert await ids(mongo, "runs") == {"young"}
    assert await ids(mongo, "events") == {"event-of-young"}
    assert await ids(mongo, "steps") == await ids(mongo, "bodies") == {"young:0"}
    assert await ids(mongo, "dead_letters") == {"other"}


async def test_an_old_event_stays_until_what_it_tells_of_a_ticket_is_taken_in(mongo: Mongo, history: History) -> None:
    await put(mongo, "events", accepted("a", tells_ticket=True), accepted("b", tells_ticket="unreadable"))

    async for events in history.retention.old_events(NOW, 10):
        await history.retention.delete_events(events)

    assert await ids(mongo, "events") == {"event-of-a"}


async def test_a_ticket_goes_when_it_was_closed_long_ago_and_no_vector_of_it_is_left(
    mongo: Mongo, history: History
) -> None:
    old: dict[str, Any] = {"closed": True, "changed_at": PAST}
    await put(
        mongo,
        "tickets",
        {"_id": "closed", **old},
        {"_id": "taken out", **old, "indexed_hash": None},
        {"_id": "indexed", **old, "indexed_hash": "h"},
        {"_id": "young", **old, "changed_at": RECENT},
        {"_id": "open", **old, "closed": False},
    )

    gone = await history.shorten()

    assert gone["tickets"] == 2
    assert await ids(mongo, "tickets") == {"indexed", "young", "open"}


async def test_an_old_replay_goes_when_its_last_run_is_gone(mongo: Mongo, history: History) -> None:
    of: dict[str, Any] = {name: {"replay": {"id": name, "of": "run_0"}} for name in ("gone", "kept")}
    await put(
        mongo, "runs", ended("old", **of["gone"]), ended("older", **of["kept"]), ended("young", RECENT, **of["kept"])
    )
    await put(
        mongo, "replays", *({"_id": name, "created_at": PAST} for name in of), {"_id": "new", "created_at": RECENT}
    )

    gone = await history.shorten()

    assert (gone["runs"], gone["replays"]) == (2, 1)
    assert await ids(mongo, "replays") == {"kept", "new"}


async def test_what_is_not_finished_and_settled_stays_however_old(mongo: Mongo, history: History) -> None:
    await put(
        mongo,
        "runs",
        an_open_run("queued", changed_at=PAST),
        an_open_run("driven-again", finished_at=PAST),
        ended("unsettled", sweep_at=PAST),
        ended("to-decide", status="failed"),
    )
    await put(mongo, "dead_letters", {"_id": "to-decide", "status": "open"})
    before = await ids(mongo, "runs")
    await put(mongo, "events", *(accepted(run) for run in sorted(before)))

    await history.shorten()

    assert await ids(mongo, "runs") == before
    assert await ids(mongo, "events") == {f"event-of-{run}" for run in before}


async def test_an_old_event_goes_when_nothing_waits_for_it(mongo: Mongo, history: History) -> None:
    aside = {"gated": False, "accepted_at": PAST}
    await put(
        mongo,
        "events",
        accepted("nothing", decisions=[]),
        {"_id": "discarded", "dead_letter": "letter-1", **aside},
        {"_id": "to-decide", "dead_letter": "letter-2", **aside},
        {"_id": "late", **aside},
        accepted("due", decisions=[], sweep_at=PAST),
        accepted("young", RECENT, decisions=[]),
    )
    await put(mongo, "dead_letters", {"_id": "letter-1", "status": "discarded"}, {"_id": "letter-2", "status": "open"})

    await history.shorten()

    assert await ids(mongo, "events") == {"to-decide", "late", "event-of-due", "event-of-young"}


async def test_a_proposal_stays_until_it_was_decided_and_is_old(mongo: Mongo, history: History) -> None:
    await put(mongo, "runs", ended("old"), ended("young", RECENT))
    await put(
        mongo,
        "proposals",
        {"_id": "pending", "run_id": "old", "decided_at": None},
        {"_id": "just-decided", "run_id": "old", "decided_at": RECENT},
        {"_id": "decided", "run_id": "old", "decided_at": PAST},
        {"_id": "of-a-run-that-stays", "run_id": "young", "decided_at": PAST},
    )

    await history.shorten()

    assert await ids(mongo, "proposals") == {"pending", "just-decided", "of-a-run-that-stays"}


async def test_of_an_event_with_a_run_that_stays_the_decision_says_what_went(mongo: Mongo, history: History) -> None:
    decisions = [{"outcome": "run", "run_id": run} for run in ("old", "young")]
    await put(mongo, "runs", ended("old", event_key="event-of-both"), ended("young", RECENT, event_key="event-of-both"))
    await put(mongo, "events", accepted("both", decisions=decisions))

    await history.shorten()

    event = await mongo.database["events"].find_one({"_id": "event-of-both"})
    assert event is not None
    assert [each.get("is_retired") for each in event["decisions"]] == [True, None]
    diagnosis = await Examination(Inspection(mongo), timedelta(0), 5, 20, 0).examine(CHECKS)
    assert diagnosis.is_clean, diagnosis.findings


async def test_everything_old_goes_however_much_it_is_and_whatever_stays_in_front(
    mongo: Mongo, history: History
) -> None:
    stays = [ended(f"a-{number:03}", status="failed") for number in range(250)]
    await put(mongo, "runs", *stays, *(ended(f"b-{number:03}") for number in range(450)))
    await put(mongo, "dead_letters", *({"_id": run["_id"], "status": "open"} for run in stays))

    gone = await history.shorten()

    assert gone["runs"] == 450
    assert await ids(mongo, "runs") == {run["_id"] for run in stays}


async def test_doing_it_again_changes_nothing(mongo: Mongo, history: History) -> None:
    await put(mongo, "runs", ended("old"))
    await put(mongo, "events", accepted("old"))

    await history.shorten()

    assert await history.shorten() == {"proposals": 0, "replays": 0, "tickets": 0}


async def test_a_scheduler_that_does_not_lead_any_more_stops(mongo: Mongo, history: History) -> None:
    await put(mongo, "runs", *(ended(f"run-{number:03}") for number in range(450)))
    history.leader.is_leading.clear()

    gone = await history.shorten()

    assert 0 < gone["runs"] < 450


async def test_runners_that_were_not_heard_for_long_are_forgotten(mongo: Mongo, history: History) -> None:
    await put(mongo, "runners", {"_id": "gone", "seen_at": PAST}, {"_id": "here", "seen_at": NOW})

    await history.shorten()

    assert await ids(mongo, "runners") == {"here"}


async def test_no_collection_is_read_as_a_whole(mongo: Mongo, history: History) -> None:
    runs = [f"run-{number}" for number in range(30)]
    await put(mongo, "runs", *(ended(run, status="failed") for run in runs))
    await put(mongo, "events", *(accepted(run) for run in runs))
    await put(mongo, "steps", *({"_id": f"{run}:0", "run_id": run, "index": 0} for run in runs))
    await put(mongo, "bodies", *({"_id": f"{run}:0", "run_id": run} for run in runs))
    await put(mongo, "dead_letters", *({"_id": run, "status": "discarded"} for run in runs))
    await put(mongo, "proposals", *({"_id": run, "run_id": run, "decided_at": PAST} for run in runs))
    # Runners are few, and each is heard several times a second: an index would cost more than it saves.
    await mongo.database["runners"].drop()

    plans = [plan for plan in await plan_of(mongo, lambda _: history.shorten()) if plan != "EOF"]

    assert await ids(mongo, "runs") == set()
    assert len(plans) >= 10
    assert [plan for plan in plans if not is_indexed(plan)] == []


@pytest.mark.parametrize(("days", "seconds"), [(7, 60), (0.01, 4.32), (0.0001, 0.5)])
def test_the_shorter_the_history_the_more_often_it_is_looked_at(days: float, seconds: float) -> None:
    assert rest_seconds(timedelta(days=days)) == pytest.approx(seconds)
