"""What happens to tickets."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Day, Text, Title, Word


class TicketData(EventData):
    """One ticket as it is after the event; `status` and `priority` are the product's own words."""

    ticket_id: Identifier
    title: Title
    description: Text = ""
    status: Word
    priority: Word | None = None
    assignee: Identifier | None = None
    labels: Annotated[tuple[Word, ...], Field(max_length=50)] = ()


class TicketChangedData(TicketData):
    """A changed ticket; `changed_fields` names what is new about it."""

    changed_fields: Annotated[tuple[Word, ...], Field(max_length=50)] = ()


class TicketClosedData(TicketData):
    """A closed ticket; `resolution` is the product's word for how it ended, such as `done` or `duplicate`."""

    resolution: Word | None = None


class TicketScanRequestedData(EventData):
    """A wish to have tickets compared; without `ticket_ids` all open tickets of the project are meant."""

    date: Day
    ticket_ids: Annotated[tuple[Identifier, ...], Field(max_length=1_000)] = ()


class TicketOpened(Event):
    """A ticket was opened in a project."""

    type: Literal["ticket.opened"] = "ticket.opened"
    dataversion: Literal["1"] = "1"
    projectid: Identifier
    data: TicketData


class TicketChanged(Event):
    """A ticket was changed."""

    type: Literal["ticket.changed"] = "ticket.changed"
    dataversion: Literal["1"] = "1"
    projectid: Identifier
    data: TicketChangedData


class TicketClosed(Event):
    """A ticket was closed."""

    type: Literal["ticket.closed"] = "ticket.closed"
    dataversion: Literal["1"] = "1"
    projectid: Identifier
    data: TicketClosedData


class TicketScanRequested(Event):
    """Somebody asked to have the tickets of a project searched for duplicates and conflicts."""

    type: Literal["ticket.scan_requested"] = "ticket.scan_requested"
    dataversion: Literal["1"] = "1"
    projectid: Identifier
    data: TicketScanRequestedData
