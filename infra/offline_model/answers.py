"""What the offline model says: rules over the words that it was given."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from infra.offline_model import notes
from infra.offline_model.conform import MISSING, Conformer, DoesNotFit
from infra.offline_model.findings import Reading, read
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
_NOTHING_SAID = "The input says nothing that a rule knows."


def plain_answer(text: str) -> str:
    """Return what was found in the text, one line each."""
    reading = read(text)
    lines = [f"- {each.kind}: {each.sentence}" for each in reading.findings]
    return "\n".join(lines) or next((shortened(each, 40) for each in notes.gist(reading)), _NOTHING_SAID)


def json_answer(text: str, schema: Mapping[str, Any]) -> str:
    """Return JSON that the schema accepts: what was found for the properties known by name, plain words for others."""
    reading = read(text)
    conformer = Conformer(root=schema, phrases=(*notes.gist(reading), _NOTHING_SAID))
    answer = {
        name: _property(conformer, each, _BUILDERS[name](reading) if name in _BUILDERS else MISSING)
        for name, each in schema.get("properties", {}).items()
    }
    return orjson.dumps(answer).decode()


def arguments(text: str, parameters: Mapping[str, Any]) -> str:
    """Return the JSON arguments of a function call about the text."""
    phrases = (*notes.gist(read(text)), _NOTHING_SAID)
    return orjson.dumps(_property(Conformer(root=parameters, phrases=phrases), parameters, MISSING)).decode()


def _property(conformer: Conformer, schema: Mapping[str, Any], proposed: Any) -> Any:
    for candidate in (proposed, MISSING):
        try:
            return conformer.fit(schema, candidate)
        except DoesNotFit:
            continue
    return None
