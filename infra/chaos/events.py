"""The events of an exercise: a seeded mix of what starts short runs, some of which ask a model. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import orjson

from contracts.ids import event_key
from infra.chaos.agents import CHAT_EVENT, CHECKIN_EVENT, PAUSE_EVENT

SOURCE: Final = "/chaos"
_ORGANISATIONS: Final = 12
_USERS: Final = 40
_PROJECTS: Final = ("apollo", "gemini", "mercury")
_DAY: Final = "2026-11-20"
_SHORTEST_MS, _LONGEST_MS = 200, 2_000
_SHARE_OF_CHECKINS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Sent:
    """One event as it is published, however often. `mark` stands in its text and in no other's."""

    key: str
    organisation: str
    mark: str
    body: bytes
    asks_a_model: bool


class Mix:
    """Makes the events of one exercise; `tag` keeps its ids apart from those of any other."""

    def __init__(self, seed: int, tag: str, model_share: float) -> None:
        self._random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._tag = tag
        self._model_share = model_share
        self._batches = 0

    @property
    def organisations(self) -> list[str]:
        """Every organisation that has events."""
        return [f"{self._tag}-{number}" for number in range(_ORGANISATIONS)]

    def events(self) -> Iterator[Sent]:
        """Yield events without end."""
        number = 0
        while True:
            number += 1
            yield self._event(number)

    def pauses(self, count: int, milliseconds: int) -> list[Sent]:
        """Return events of the first organisation that each start a run of this length, with ids of their own."""
        self._batches += 1
        marks = [f"{self._tag}b{self._batches}x{number}" for number in range(count)]
        return [self._sent(self.organisations[0], mark, _pausing(mark, milliseconds)) for mark in marks]

    def _event(self, number: int) -> Sent:
        organisation = self._random.choice(self.organisations)
        mark = f"{self._tag}x{number}"
        if self._random.random() < self._model_share:
            return self._sent(organisation, mark, self._asking(mark), asks_a_model=True)
        return self._sent(organisation, mark, _pausing(mark, self._random.randint(_SHORTEST_MS, _LONGEST_MS)))

    def _sent(self, organisation: str, mark: str, facts: dict[str, Any], *, asks_a_model: bool = False) -> Sent:
        event = {
            "specversion": "1.0",
            "id": mark,
            "source": SOURCE,
            "organisationid": organisation,
            "projectid": self._random.choice(_PROJECTS),
            "userid": f"user-{self._random.randrange(_USERS)}",
            **facts,
        }
        return Sent(event_key(organisation, SOURCE, mark), organisation, mark, orjson.dumps(event), asks_a_model)

    def _asking(self, mark: str) -> dict[str, Any]:
        # Worth exactly one memory diff each.
        text = f"I prefer meetings in room {mark}."
        if self._random.random() < _SHARE_OF_CHECKINS:
            return {"type": CHECKIN_EVENT, "data": {"date": _DAY, "text": text}}
        messages = [{"role": "user", "text": text}, {"role": "assistant", "text": "Noted."}]
        return {"type": CHAT_EVENT, "data": {"session_id": mark, "turn_id": mark, "messages": messages}}


def _pausing(mark: str, milliseconds: int) -> dict[str, Any]:
    data = {"ticket_id": mark, "title": "Export stops after the first page", "status": "open"}
    return {"type": PAUSE_EVENT, "pausems": milliseconds, "data": data}
