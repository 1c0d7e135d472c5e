"""Reads from events who was active, for the Agents that wait for users to be idle. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from contracts.envelope import Event
from shared.domain.configuration import Configuration
from shared.domain.idleness import Idleness, active_at, is_activity, threshold


def activity_shown(events: Iterable[Event], configuration: Configuration) -> list[Event]:
    """Return the events that show a user active for whom an Agent of the organisation waits to be idle."""
    return [
        event
        for event in events
        if any(
            version.spec.on_idle is not None and is_activity(version.spec.on_idle, event)
            for version in configuration.waiting_for_idle(event.organisationid)
        )
    ]


def active_users(
    events: Iterable[Event], accepted_at: Mapping[str, datetime], configuration: Configuration, now: datetime
) -> list[Idleness]:
    """Return for each of these events and each such Agent who was active, and when that is long enough ago.

    `accepted_at` says by key when events were accepted; without it, that is now.
    """
    found = []
    for event in events:
        moment = active_at(event, accepted_at.get(event.key, now))
        for version in configuration.waiting_for_idle(event.organisationid):
            trigger = version.spec.on_idle
            if trigger is None or event.userid is None or not is_activity(trigger, event):
                continue
            who = version.spec.key, event.organisationid, event.projectid, event.userid
            found.append(Idleness(*who, active_at=moment, due_at=moment + threshold(trigger)))
    return found
