"""Dead letters as the API shows them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.gateway.views import View


class LetterView(View):
    """A dead letter. `organisation` is none when the message does not say whose it is.

    `redrives` says what a redrive does: `run` queues the run again, `event` has the gate consider the stored event
    again, `message` publishes the message once more as it came.
    """

    id: str
    kind: str
    status: str
    code: str
    reason: str
    redrives: str
    organisation: str | None
    agent_key: str | None
    run_id: str | None
    event_key: str | None
    subject: str | None
    count: int
    redriven: int
    first_at: datetime
    last_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None


class LetterList(View):
    dead_letters: list[LetterView]
    next_cursor: str | None


class LetterDetail(LetterView):
    """With the message as it came: text, or base64 when `payload_encoding` says so."""

    payload: str | None
    payload_encoding: str | None


class LettersRedriven(View):
    """`more` says that open letters are left that the filter means; pass `as_of` on as `before` to go through them.

    `obsolete` letters were discarded, because their run or event does not exist any more.
    """

    redriven: int
    obsolete: int
    more: bool
    as_of: datetime


class LettersDiscarded(View):
    discarded: int
    more: bool
    as_of: datetime


_FIELDS = tuple(name for name in LetterView.model_fields if name not in {"id", "redrives"})


def letter_view(letter: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored dead letter as it is shown in a list."""
    return {"id": letter["_id"], "redrives": _redrives(letter), **{name: letter[name] for name in _FIELDS}}


def letter_detail(letter: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored dead letter with its message."""
    return {**letter_view(letter), "payload": letter["payload"], "payload_encoding": letter["payload_encoding"]}


def _redrives(letter: Mapping[str, Any]) -> str:
    if letter["run_id"] is not None:
        return "run"
    return "event" if letter["is_accepted"] else "message"
