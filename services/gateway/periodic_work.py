"""Says in words whether schedules fire at all. Pure."""

from datetime import datetime, timedelta
from typing import Any

from shared.domain.words import utc_text
from shared.store.background import Background

SETTING = "operating_background_enabled"
_SILENT_AFTER = timedelta(seconds=30)
_SAID = {
    None: f"{SETTING} is not known: no scheduler has been at work yet.",
    True: f"{SETTING} is true at the scheduler: schedules fire.",
    False: f"{SETTING} is false at the scheduler: no schedule fires until it is started with {SETTING.upper()}=true.",
}


def background_value(background: Background | None) -> dict[str, Any]:
    """Return the setting of the leading scheduler as a value that holds everywhere; null when none has ever led."""
    is_enabled = None if background is None else background.is_enabled
    return {"value": is_enabled, "decided_by": None, "explanation": _SAID[is_enabled]}


def switched_off(background: Background | None) -> str | None:
    """Say that periodic work is switched off, when it is."""
    return None if background is None or background.is_enabled else _SAID[False]


def background_trouble(background: Background | None, now: datetime) -> str | None:
    """Say why no schedule fires anywhere; None when nothing speaks against it."""
    if background is None:
        return "No scheduler has been at work yet: start one."
    if now - background.noted_at > _SILENT_AFTER:
        return f"No scheduler has been at work since {utc_text(background.noted_at)}: start one."
    return switched_off(background)
