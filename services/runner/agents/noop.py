"""Does nothing, at once: for measuring the platform itself, and for trying out triggers and bindings."""

from services.runner.work import Attempt
from shared.domain.run import Done


async def noop(attempt: Attempt) -> Done:
    """Complete with an empty output."""
    return Done({})
