"""Which runs a caller may see."""

from typing import Any

from services.gateway.auth import Caller
from services.gateway.state import Gateway
from shared.errors import NotFound


async def visible_run(gateway: Gateway, caller: Caller, run_id: str) -> dict[str, Any]:
    """Return the run as it is stored, or raise NotFound; what is not the caller's to see does not exist for it."""
    run = (await gateway.runs.load([run_id])).get(run_id)
    if run is None or not caller.sees(run):
        raise NotFound(f"There is no run '{run_id}', or it is not yours to see.")
    return run
