"""Approved changes that the product has to carry out: the event that tells of each is stored with the approval."""

from contracts.agents import EffectKind
from contracts.envelope import Event
from shared.domain.event import accepted_event
from shared.domain.proposal_event import approved_event
from shared.store.events import EventStore
from shared.store.mongo import Document
from shared.store.transaction import Transaction


def told_of(proposal: Document) -> Event | None:
    """Return the event of an approved proposal; None for a memory diff, which Towpath carries out itself."""
    return None if proposal["kind"] == EffectKind.MEMORY_DIFF else approved_event(proposal)


def accept_approval(within: Transaction, events: EventStore, approved: Document) -> None:
    """Store the event of a proposal that was just approved, in the same transaction.

    It is due for the sweep like any accepted event, so that nothing is lost when its publishing is.
    """
    if (event := told_of(approved)) is not None:
        events.accept_within(within, accepted_event(event, event.to_json().decode(), approved["decided_at"]))
