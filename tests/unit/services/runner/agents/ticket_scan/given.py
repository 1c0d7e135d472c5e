"""Tickets for tests of the scan."""

from datetime import timedelta

from shared.domain.ticket import Ticket
from tests.unit.shared.given import NOW


def a_ticket(number: int, title: str = "Export", description: str = "") -> Ticket:
    """Return an open ticket; one with a higher number is younger."""
    return Ticket(f"T-{number}", title, description, f"event-{number}", NOW + timedelta(seconds=number), number)


def tickets_of(*numbers: int) -> dict[str, Ticket]:
    """Return such tickets by id."""
    return {each.id: each for each in map(a_ticket, numbers)}
