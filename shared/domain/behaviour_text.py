"""Triggers made of what people do, in words. Pure."""

from contracts.behaviour import IdleTrigger, MessagesTrigger, Unless
from contracts.filters import ALL


def behaviour_text(trigger: IdleTrigger | MessagesTrigger | Unless) -> str:
    """Say what is waited for in words."""
    match trigger:
        case IdleTrigger():
            idle = f"{trigger.idle_threshold_minutes:g} min idle, {trigger.idle_cooldown_minutes:g} min apart"
            counted = f", counting {' and '.join(trigger.activity)}" if trigger.activity else ""
            return idle + counted + ("" if trigger.user_filter == ALL else f", where `{trigger.user_filter}`")
        case MessagesTrigger():
            return f"every {trigger.count} {trigger.event} per {trigger.per}"
        case Unless():
            return f"{trigger.event} within {trigger.within_seconds} s"
