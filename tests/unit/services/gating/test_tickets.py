"""What events say of tickets."""

from datetime import timedelta

from services.gating.tickets import ticket_facts
from tests.unit.shared.given import LATER, NOW, an_event

TICKET = {"ticket_id": "T-1", "title": "Export", "status": "open"}


def test_facts_are_those_of_tickets_oldest_first() -> None:
    late = an_event("ticket.closed", id="late", time=LATER.isoformat(), data={**TICKET, "resolution": "done"})
    early = an_event("ticket.changed", id="early", time=NOW.isoformat(), data={**TICKET, "changed_fields": ["title"]})

    facts = ticket_facts([late, an_event("checkin.submitted"), early], NOW + timedelta(days=1))

    assert [(each.event_id, each.at, each.is_closed) for each in facts] == [
        ("early", NOW, False),
        ("late", LATER, True),
    ]
    assert facts[0].data.items() >= TICKET.items()
    assert "changed_fields" not in facts[0].data


def test_an_event_without_a_time_happened_when_it_came() -> None:
    (fact,) = ticket_facts([an_event("ticket.opened", time=None, data=TICKET)], NOW)

    assert fact.at == NOW
