"""What the offline model says: rules over the words that it was given."""

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from infra.offline_model import comparing, drafting, following, notes, planning, questioning, reviewing
from infra.offline_model.conform import MISSING, Conformer, DoesNotFit
from infra.offline_model.findings import Reading, read
from infra.offline_model.grounds import grounded
from infra.offline_model.memory import memory_diffs
from infra.offline_model.prose import shortened
from infra.offline_model.ticketing import ticket_changes

_BUILDERS: dict[str, Callable[[Reading], Any]] = {
    "coaching": notes.coaching,
    "focus": notes.focus,
    "memory_diffs": memory_diffs,
    "pulse": notes.pulse,
    "references": notes.references,
    "risks": notes.risks,
    "summary": notes.summary,
    "ticket_changes": ticket_changes,
}
_BESIDE: dict[str, dict[str, Callable[[Reading], Any]]] = {
    "review": {
        "review": reviewing.review,
        "wins": reviewing.wins,
        "next_steps": reviewing.next_steps,
        "session_updates": reviewing.session_updates,
    },
    "insight": {
        "insight": questioning.insight,
        "confidence": questioning.confidence,
        "reasoning": questioning.reasoning,
    },
    "message": {"message": following.message},
    "merged_text": {"merged_text": questioning.merged_text},
    "judgements": {"judgements": comparing.judgements},
    "epics": {"roadmap_items": planning.roadmap_items, "epics": planning.epics},
    "snapshot_drafts": {"snapshot_drafts": drafting.snapshot_drafts},
}
"""What the properties beside the one named mean, where that is something else than by themselves."""

_NOTHING_SAID = "The input says nothing that a rule knows."


def plain_answer(text: str) -> str:
    """Return what was found in the text, one line each."""
    reading = read(text)
    lines = [f"- {each.kind}: {each.sentence}" for each in reading.findings]
    return "\n".join(lines) or next((shortened(each, 40) for each in notes.gist(reading)), _NOTHING_SAID)


def json_answer(text: str, schema: Mapping[str, Any], told: Sequence[str] = ()) -> str:
    """Return JSON that the schema accepts: what was found for the properties known by name, plain words for others.

    `told` is what tools returned.
    """
    reading = read(text, told)
    properties = schema.get("properties", {})
    builders = _builders(properties)
    conformer = Conformer(root=schema, phrases=(*notes.gist(reading), _NOTHING_SAID))
    answer = {
        name: _property(conformer, each, grounded(builders[name](reading), reading) if name in builders else MISSING)
        for name, each in properties.items()
    }
    return orjson.dumps(answer).decode()


def arguments(text: str, parameters: Mapping[str, Any]) -> str:
    """Return the JSON arguments of a function call about the text: no filter where there need be none, and all there is."""
    conformer = Conformer(root=parameters, phrases=(*notes.gist(read(text)), _NOTHING_SAID))
    properties = parameters.get("properties", {})
    proposed = {name: each for name, part in properties.items() if (each := _widest(name, part)) is not MISSING}
    return orjson.dumps(_property(conformer, parameters, proposed)).decode()


def _widest(name: str, schema: Mapping[str, Any]) -> Any:
    if "null" in schema.get("type", ()):
        return None
    return schema.get("maximum", MISSING) if name == "limit" else MISSING


def _builders(properties: Iterable[str]) -> Mapping[str, Callable[[Reading], Any]]:
    own = [_BESIDE[name] for name in properties if name in _BESIDE]
    return dict(ChainMap(*own, _BUILDERS))


def _property(conformer: Conformer, schema: Mapping[str, Any], proposed: Any) -> Any:
    for candidate in (proposed, MISSING):
        try:
            return conformer.fit(schema, candidate)
        except DoesNotFit:
            continue
    return None
