"""What events say of tickets."""

from datetime import timedelta

from shared.domain.ticket_facts import latest_facts, ticket_facts
from tests.unit.shared.given import LATER, NOW, a_fact, an_event

TICKET = {"ticket_id": "T-1", "title": "Export", "status": "open"}


def test_facts_are_those_of_tickets_oldest_first() -> None:
    late = an_event("ticket.closed", id="late", time=LATER.isoformat(), data={**TICKET, "resolution": "done"})
    early = an_event("ticket.changed", id="early", time=NOW.isoformat(), data={**TICKET, "changed_fields": ["title"]})

    accepted_at = NOW + timedelta(days=1)
    facts = ticket_facts([(late, accepted_at), (an_event("checkin.submitted"), accepted_at), (early, accepted_at)])

    assert [(each.event_id, each.at, each.is_closed) for each in facts] == [
        ("early", NOW, False),
        ("late", LATER, True),
    ]
    assert facts[0].data.items() >= TICKET.items()
    assert "changed_fields" not in facts[0].data


def test_an_event_without_a_time_happened_when_it_was_accepted() -> None:
    (fact,) = ticket_facts([(an_event("ticket.opened", time=None, data=TICKET), NOW)])

    assert fact.at == NOW


def test_of_several_facts_on_a_ticket_the_latest_counts_and_of_one_moment_the_last() -> None:
    facts = [a_fact(at=NOW), a_fact(title="Exports", at=LATER), a_fact(title="Export all", at=LATER), a_fact(at=NOW)]
    other = a_fact("T-2", at=LATER)

    assert latest_facts([*facts, other]) == [(facts[2], NOW), (other, LATER)]
