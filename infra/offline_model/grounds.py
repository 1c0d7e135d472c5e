"""What a proposal rests on: the event that was shown, in the words that the reasoning quotes."""

import re
from typing import Any

from infra.offline_model.findings import Reading

_QUOTED = re.compile(r'"([^"]+)"')


def grounded(proposed: Any, reading: Reading) -> Any:
    """Return a list of proposals with the event as the evidence of each; anything else as it is."""
    event_id = reading.material.event.get("id")
    if not isinstance(proposed, list) or event_id is None:
        return proposed
    return [_with_evidence(each, event_id) if _is_proposal(each) else each for each in proposed]


def _is_proposal(value: Any) -> bool:
    return isinstance(value, dict) and "reasoning" in value and "evidence" not in value


def _with_evidence(proposal: dict[str, Any], event_id: str) -> dict[str, Any]:
    quoted = _QUOTED.search(str(proposal["reasoning"]))
    quote = None if quoted is None else quoted[1].removesuffix("…").strip()
    return {**proposal, "evidence": [{"type": "event", "id": event_id, "quote": quote}]}
