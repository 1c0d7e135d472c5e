"""A publisher without a connection: it sends nothing, says so, and never raises."""

from contracts.lanes import Queue
from shared.domain.run_event import run_event
from shared.messaging.publisher import Publisher
from tests.unit.shared.given import a_stored_run


async def test_without_a_connection_nothing_is_sent_and_nothing_raised() -> None:
    publisher = Publisher()

    await publisher.dispatch([(Queue.HIGH, "run_1")])
    await publisher.tell("gated.one", b"{}")
    await publisher.run_events([run_event(a_stored_run())])

    assert not publisher.is_connected
    assert not await publisher.event("checkin.submitted", "acme", b"{}", {})
    assert not await publisher.run_events_confirmed([run_event(a_stored_run())])
    assert not await publisher.dead_letter("event", "ev_1", b"{}", "unreadable", "event.x")
    assert not await publisher.answers()
