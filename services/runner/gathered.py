"""On which of the events that it has taken a debounced run works."""

from typing import Any

from shared.domain.run import Claim
from shared.store.events import EventStore
from shared.store.gathering import event_fields
from shared.store.runs import RunStore

Document = dict[str, Any]


async def with_its_event(
    run: Document, event: Document | None, events: EventStore, runs: RunStore
) -> tuple[Document, Document | None]:
    """Return a claimed run and the event to work on: of those that it has taken the last whose decision names it.

    That is the one that it has, unless two gates decided that event at once and the other's decision stands.
    """
    if "gathering" not in run or (event is not None and (not event["gated"] or _names(event, run["_id"]))):
        return run, event
    taken = (await events.load(run["gathering"]["events"])).values()
    naming = [each for each in taken if each["gated"] and _names(each, run["_id"])]
    if not naming:
        return run, event
    last = max(naming, key=lambda each: (each["accepted_at"], each.get("position", 0)))
    await runs.work_on(Claim(run["_id"], run["attempt"], run["owner"]), last)
    return run | event_fields(last), last


def _names(event: Document, run_id: str) -> bool:
    return any(decision.get("run_id") == run_id for decision in event["decisions"])
