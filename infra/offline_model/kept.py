"""The responses that can be asked for again, and what a background response looks like before it is done."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from infra.offline_model.composing import unfinished
from infra.offline_model.wire import BadRequest, Json

_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A response, the input items that led to it and their texts, and the moment from which it counts as done."""

    response: Json
    items: list[Json]
    said: str = ""
    done_at: float = 0.0
    cancelled: bool = False


class KeptResponses:
    """The last responses whose caller did not say `store: false`; the oldest are forgotten first.

    A background response is composed at once and shown as in progress until its time has passed, so nothing runs
    behind the requests. `now` counts seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kept: dict[str, Kept] = {}

    def keep(self, response: Json, items: list[Json], said: str = "", seconds_until_done: float = 0.0) -> float:
        """Keep a response, and return the moment from which it counts as done."""
        done_at = self._now() + seconds_until_done
        self._kept[response["id"]] = Kept(response, items, said, done_at)
        if len(self._kept) > _LIMIT:
            del self._kept[next(iter(self._kept))]
        return done_at

    def view(self, response_id: str) -> Json:
        """Return the response as it is now; raises BadRequest (404) when it is not kept."""
        kept = self._get(response_id)
        if kept.cancelled:
            return unfinished(kept.response, "cancelled")
        return kept.response if self._now() >= kept.done_at else unfinished(kept.response, "in_progress")

    def cancel(self, response_id: str) -> Json:
        """Stop a background response; one that is done stays as it is, and cancelling twice changes nothing."""
        kept = self._get(response_id)
        if not kept.response["background"]:
            raise BadRequest("Cannot cancel a synchronous response.")
        if self._now() < kept.done_at:
            self._kept[response_id] = replace(kept, cancelled=True)
        return self.view(response_id)

    def conversation(self, response_id: str) -> list[Json]:
        """Return the items of the conversation up to and including a response."""
        kept = self._get(response_id)
        return [*kept.items, *self.view(response_id)["output"]]

    def texts(self, response_id: str) -> list[str]:
        """Return the id and, when the response is kept, what was said and the values of its metadata."""
        kept = self._kept.get(response_id)
        return [response_id, *([kept.said, *kept.response["metadata"].values()] if kept else ())]

    def _get(self, response_id: str) -> Kept:
        if response_id not in self._kept:
            raise BadRequest(f"Response with id '{response_id}' not found.", param="response_id", status=404)
        return self._kept[response_id]
