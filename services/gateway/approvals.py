"""Telling the product at once of a change that was approved; what does not get through is told by the sweep."""

from shared.domain.event import ACCEPTED_HEADER
from shared.messaging.publisher import MESSAGE_ID, Publisher
from shared.store.approvals import told_of
from shared.store.mongo import Document


async def tell_approved(publisher: Publisher, approved: Document) -> None:
    """Publish the event that was stored with the approval; approving again is told once for two minutes."""
    if (event := told_of(approved)) is not None:
        headers = {ACCEPTED_HEADER: "once", MESSAGE_ID: event.key}
        await publisher.event(event.type, event.organisationid, event.to_json(), headers)
