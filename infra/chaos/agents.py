"""The Agent that the exercises publish, and the events that start runs."""

from typing import Final

from contracts.agents import AgentSpec, EventTrigger, TargetRule

PAUSE_EVENT: Final = "ticket.opened"
CHECKIN_EVENT: Final = "checkin.submitted"
CHAT_EVENT: Final = "chat.turn_completed"

PAUSE: Final = AgentSpec(
    key="pause",
    name="Waits as long as its event says",
    handler="pause",
    triggers=(EventTrigger(event=PAUSE_EVENT, target=TargetRule(type="ticket", id="{data.ticket_id}")),),
)
"""Deterministic, so that a small machine bears many of its runs at once."""
