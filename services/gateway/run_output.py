"""What a run answered, wherever it is kept."""

from typing import Any

import orjson

from services.gateway.state import Gateway


async def output_json(gateway: Gateway, run: dict[str, Any]) -> str | None:
    """Return the output of a stored run as JSON, None while there is none; a long one is kept beside the run."""
    reference = run.get("output_ref")
    text: str | None = run.get("output_json") if reference is None else await gateway.bodies.get(reference)
    return text


async def output_of(gateway: Gateway, run: dict[str, Any]) -> Any:
    """Return the output of a stored run, None while there is none."""
    text = await output_json(gateway, run)
    return None if text is None else orjson.loads(text)
