"""The events that the load generator publishes: about 500 bytes each, all different."""

from typing import Final

import orjson

from contracts.ids import event_key, run_id

SOURCE: Final = "/bench"
PROJECT: Final = "apollo"
USER: Final = "ada"
TARGET_TYPE: Final = "ticket"

_DESCRIPTION = "The export of the monthly report stops after the first page when the filter names two teams. "
_PLACE = "@@"


class Bodies:
    """Makes the events of one job, cheaply; `tag` keeps them apart from those of other jobs."""

    def __init__(self, event_type: str, organisation: str, tag: str) -> None:
        self._organisation = organisation
        self._tag = tag
        event = {
            "specversion": "1.0",
            "id": _PLACE,
            "source": SOURCE,
            "type": event_type,
            "organisationid": organisation,
            "projectid": PROJECT,
            "userid": USER,
            "data": {
                "ticket_id": _PLACE,
                "title": "Export stops after the first page",
                "description": _DESCRIPTION * 2,
                "status": "open",
                "priority": "high",
            },
        }
        self._head, self._middle, self._tail = orjson.dumps(event).split(_PLACE.encode())

    def event(self, number: int) -> bytes:
        """Return an event as JSON."""
        id_ = self._id(number).encode()
        return b"".join((self._head, id_, self._middle, id_, self._tail))

    def batch(self, first: int, count: int) -> bytes:
        """Return consecutive events as one JSON list."""
        return b"[" + b",".join(self.event(number) for number in range(first, first + count)) + b"]"

    def run_id(self, number: int, agent_key: str) -> str:
        """Return the id of the run that this event starts of an Agent whose target is the ticket."""
        id_ = self._id(number)
        return run_id(event_key(self._organisation, SOURCE, id_), agent_key, TARGET_TYPE, id_)

    def _id(self, number: int) -> str:
        return f"{self._tag}-{number}"
