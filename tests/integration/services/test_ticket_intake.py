"""Tickets follow events where nobody reads them: when there is time for it, and in any case some day."""

from datetime import timedelta

import pytest

from services.scheduler.leader import Leader
from services.scheduler.ticket_intake import BATCH, TicketIntake, patience_seconds, pause_seconds
from shared.store.events import EventStore
from shared.store.leases import LeaseStore
from shared.store.mongo import Mongo
from shared.store.tickets import TicketStore
from tests.integration.store.given import accepted
from tests.unit.shared.given import NOW

PATIENCE = 120.0


class Moments:
    """Tells how much time has passed, which a test lets pass, and whether there is much to do."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.quiet = [True]

    def __call__(self) -> float:
        return self.now

    async def is_quiet(self) -> bool:
        """Return the answers that a test gives, and the last one from then on."""
        return self.quiet.pop(0) if len(self.quiet) > 1 else self.quiet[0]


@pytest.fixture
def moments() -> Moments:
    return Moments()


@pytest.fixture
def leader(mongo: Mongo) -> Leader:
    leader = Leader(LeaseStore(mongo.database), "one", 3)
    leader.is_leading.set()
    return leader


@pytest.fixture
def intake(mongo: Mongo, moments: Moments, leader: Leader) -> TicketIntake:
    return TicketIntake(TicketStore(mongo.database), moments.is_quiet, leader, PATIENCE, moments)


async def tell(mongo: Mongo, *names: str) -> None:
    """Accept an event of a ticket of its own for each of these names."""
    data = {"title": "Export", "status": "open"}
    told = [
        accepted(name, NOW, type="ticket.opened", projectid="apollo", data={"ticket_id": name, **data})
        for name in names
    ]
    await EventStore(mongo.database).accept(told, {event.key: [] for event in told})


async def tickets(mongo: Mongo) -> set[str]:
    return set(await mongo.database["tickets"].distinct("ticket_id"))


async def test_in_a_quiet_moment_everything_is_taken_in(mongo: Mongo, intake: TicketIntake) -> None:
    names = [f"T-{number}" for number in range(BATCH + 1)]
    await tell(mongo, *names)

    assert await intake.look() == len(names)

    assert await tickets(mongo) == set(names)
    assert await intake.look() == 0


async def test_while_there_is_much_to_do_tickets_wait_until_they_are_late(
    mongo: Mongo, intake: TicketIntake, moments: Moments
) -> None:
    await tell(mongo, "T-1")
    moments.quiet = [False]

    moments.now += PATIENCE
    at_first = await intake.look()
    moments.now += 1
    later = await intake.look()
    await tell(mongo, "T-2")
    again = await intake.look()

    assert (at_first, later, again) == (0, 1, 0)
    assert await tickets(mongo) == {"T-1"}


async def test_it_stops_when_the_quiet_moment_is_over(mongo: Mongo, intake: TicketIntake, moments: Moments) -> None:
    await tell(mongo, *(f"T-{number}" for number in range(BATCH + 1)))
    moments.quiet = [True, False]

    assert await intake.look() == BATCH


async def test_a_scheduler_that_does_not_lead_takes_nothing_in(
    mongo: Mongo, intake: TicketIntake, leader: Leader
) -> None:
    await tell(mongo, "T-1")
    leader.is_leading.clear()

    assert await intake.look() == 0


async def test_what_could_not_be_read_is_tried_again_after_a_minute(
    mongo: Mongo, intake: TicketIntake, moments: Moments
) -> None:
    await intake.look()
    await tell(mongo, "T-1")
    await mongo.database["events"].update_many({}, {"$set": {"tells_ticket": "unreadable"}})

    for passed in (59.9, 0.1, 0):
        moments.now += passed
        assert await tickets(mongo) == set()
        await intake.look()

    assert await tickets(mongo) == {"T-1"}


@pytest.mark.parametrize(("late", "pause"), [(-60, 0.4), (599.9, 0.4), (600, 0.1)])
def test_it_leaves_the_database_to_others_until_it_is_very_late(late: float, pause: float) -> None:
    assert pause_seconds(0.1, late) == pytest.approx(pause)


@pytest.mark.parametrize(("days", "seconds"), [(7, 120), (0.01, 8.64), (0.0001, 1)])
def test_where_events_are_soon_deleted_it_is_sooner_late(days: float, seconds: float) -> None:
    assert patience_seconds(timedelta(days=days)) == pytest.approx(seconds)
