"""Waits: for measuring the platform with runs that take their time, without a model."""

import asyncio
from typing import Any

from services.runner.recorder import Step
from services.runner.work import Attempt
from shared.domain.run import Done

_MOST_MILLISECONDS = 600_000


async def pause(attempt: Attempt) -> Done:
    """Wait as many milliseconds as the event's attribute `pausems` says, as one step; without it, end at once."""
    asked = attempt.event.get("pausems")
    seconds = min(max(asked, 0), _MOST_MILLISECONDS) / 1_000 if isinstance(asked, int) else 0.0

    async def wait(_: Step) -> dict[str, Any]:
        await asyncio.sleep(seconds)
        return {"seconds": seconds}

    return Done(await attempt.steps.step("pause", "pause", {"seconds": seconds}, wait))
