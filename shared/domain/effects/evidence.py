"""References to what an entry rests on: those that the Agent was really shown, and why others are kept out."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from contracts.effects import Evidence
from contracts.field_errors import field_errors
from shared.domain.effects.basis import Shown

Document = dict[str, Any]
_MOST = 20


def evidence_of(references: Iterable[Any], shown: Shown | None) -> tuple[list[Document], list[Document]]:
    """Return the references that hold, and those that do not, each with its reason; at most twenty are looked at."""
    kept: list[Document] = []
    left_out: list[Document] = []
    for reference in list(references)[:_MOST]:
        try:
            read = Evidence.model_validate(reference)
        except ValidationError as error:
            left_out.append({**_named(reference), "reason": field_errors(error)[0].message})
            continue
        reason = None if shown is None else _fault(read, shown)
        if reason is None:
            kept.append(read.model_dump())
        else:
            left_out.append({**_named(read.model_dump()), "reason": reason})
    return kept, left_out


def _named(reference: Any) -> Document:
    said = reference if isinstance(reference, Mapping) else {}
    return {name: str(said.get(name))[:256] for name in ("type", "id")}


def _fault(reference: Evidence, shown: Shown) -> str | None:
    if not _was_shown(reference, shown):
        return f"the Agent was shown no {reference.type} '{reference.id}'"
    if reference.quote and _plain(reference.quote) not in _plain("\n".join(shown.texts)):
        return "what it quotes is in nothing that the Agent was shown"
    return None


def _was_shown(reference: Evidence, shown: Shown) -> bool:
    if reference.type == "step":
        return reference.id in shown.tools
    if reference.type == "event" and reference.id == shown.event_id:
        return True
    written = orjson.dumps(reference.id).decode()
    return any(written in text for text in shown.texts)


def _plain(text: str) -> str:
    """Return the words alone, so that neither line breaks nor how JSON writes a text make a difference."""
    return " ".join(text.replace("\\n", " ").replace('\\"', '"').strip(" .…").split()).casefold()
