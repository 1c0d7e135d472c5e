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

    def _event(self, number: int) -> Sent:
        organisation = self._random.choice(self.organisations)
        mark = f"{self._tag}x{number}"
        asks_a_model = self._random.random() < self._model_share
        event = {
            "specversion": "1.0",
            "id": mark,
            "source": SOURCE,
            "organisationid": organisation,
            "projectid": self._random.choice(_PROJECTS),
            "userid": f"user-{self._random.randrange(_USERS)}",
            **(self._asking(mark) if asks_a_model else self._pausing(mark)),
        }
        return Sent(event_key(organisation, SOURCE, mark), organisation, mark, orjson.dumps(event), asks_a_model)

    def _asking(self, mark: str) -> dict[str, Any]:
        # Worth exactly one memory diff each.
        text = f"I prefer meetings in room {mark}."
        if self._random.random() < 0.5:
            return {"type": CHECKIN_EVENT, "data": {"date": _DAY, "text": text}}
        messages = [{"role": "user", "text": text}, {"role": "assistant", "text": "Noted."}]
        return {"type": CHAT_EVENT, "data": {"session_id": mark, "turn_id": mark, "messages": messages}}

    def _pausing(self, mark: str) -> dict[str, Any]:
        data = {"ticket_id": mark, "title": "Export stops after the first page", "status": "open"}
        return {"type": PAUSE_EVENT, "pausems": self._random.randint(_SHORTEST_MS, _LONGEST_MS), "data": data}
