"""Messages as they arrive at the gate."""

from datetime import UTC, datetime

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.subjects import event_subject
from services.gating.arrival import EventTypeUnknown, EventUnreadable, parse_arrival
from shared.domain.event import ACCEPTED_HEADER, REPLY_HEADER, accepted_event
from tests.unit.shared.given import NOW, an_event

EVENT = an_event(organisationid="acme")


def message(
    data: bytes | None = None, subject: str | None = None, headers: dict[str, str] | None = None, delivery: int = 1
) -> Msg:
    reply = f"$JS.ACK.EVENTS.gating.{delivery}.7.7.{int(datetime.now(UTC).timestamp() * 1e9)}.0"
    subject = subject or event_subject(EVENT.type, EVENT.organisationid)
    return Msg(Client(), subject, reply, EVENT.to_json() if data is None else data, headers)


def test_an_event_of_a_backend_is_not_accepted_yet() -> None:
    arrival = parse_arrival(message())

    assert (arrival.event, arrival.is_accepted, arrival.reply_to) == (EVENT, False, None)
    assert arrival.accepted_event(NOW) == accepted_event(EVENT, EVENT.to_json().decode(), NOW)


def test_an_event_of_the_gateway_is_accepted_and_says_who_waits() -> None:
    arrival = parse_arrival(message(headers={ACCEPTED_HEADER: "once", REPLY_HEADER: "gateway-1"}))

    assert (arrival.is_accepted, arrival.is_first_delivery, arrival.reply_to) == (True, True, "gateway-1")


@pytest.mark.parametrize(("said", "delivery"), [("again", 1), ("once", 2)])
def test_an_event_told_again_or_delivered_again_may_have_been_gated_before(said: str, delivery: int) -> None:
    arrival = parse_arrival(message(headers={ACCEPTED_HEADER: said}, delivery=delivery))

    assert not arrival.is_first_delivery


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "not JSON"),
        (b"[]", "must be a JSON object"),
        (EVENT.to_json().replace(b'"date"', b'"day"'), "'data.date' is missing"),
    ],
)
def test_what_is_no_event_is_unreadable_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(EventUnreadable, match=reason):
        parse_arrival(message(data))


def test_an_event_of_a_type_that_nobody_knows_says_so() -> None:
    with pytest.raises(EventTypeUnknown, match=r"no event type 'checkin\.eaten'"):
        parse_arrival(message(b'{"specversion":"1.0","type":"checkin.eaten"}'))


@pytest.mark.parametrize("subject", ["event.checkin.submitted.other", "event.doc.created.acme"])
def test_an_event_published_where_it_does_not_belong_is_unreadable(subject: str) -> None:
    with pytest.raises(EventUnreadable, match=f"it was published on '{subject}'"):
        parse_arrival(message(subject=subject))


def test_what_only_towpath_publishes_is_taken_from_towpath_only() -> None:
    fired = an_event("schedule.fired", organisationid="acme")
    subject = event_subject(fired.type, "acme")

    with pytest.raises(EventUnreadable, match=r"Only Towpath itself publishes 'schedule\.fired'"):
        parse_arrival(message(fired.to_json(), subject))
    assert parse_arrival(message(fired.to_json(), subject, {ACCEPTED_HEADER: "once"})).event == fired
