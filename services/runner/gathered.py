"""On which of the events that it has taken a debounced run works."""

from typing import Any

import orjson

from shared.domain.run import Claim
from shared.store.events import EventStore
from shared.store.gathering import event_fields
from shared.store.runs import RunStore

Document = dict[str, Any]

_BEFORE = "previous_"


async def with_its_event(
    run: Document, event: Document | None, events: EventStore, runs: RunStore
) -> tuple[Document, Document | None]:
    """Return a claimed run and the event to work on: of those that it has taken the last whose decision names it.

    That is the one that it has, unless two gates decided that event at once and the other's decision stands. What the
    event says of the time before it is what the first of them says.
    """
    if "gathering" not in run:
        return run, event
    if event is None or (event["gated"] and not _names(event, run["_id"])):
        run, event = await _last_that_names(run, event, events, runs)
    first = run["gathering"]["events"][0]
    if event is None or event["_id"] == first:
        return run, event
    return run, telling_what_was_before((await events.load([first])).get(first), event)


def telling_what_was_before(first: Document | None, last: Document) -> Document:
    """Return the last of several events as one for all of them: its `previous_` data are those of the first.

    Where the first does not tell, or is not stored any more, nobody does: what the last tells was said of its own change.
    """
    told = orjson.loads(last["json"])
    before = {} if first is None else orjson.loads(first["json"])["data"]
    data = {name: value for name, value in told["data"].items() if not name.startswith(_BEFORE)}
    data |= {name: value for name, value in before.items() if name.startswith(_BEFORE)}
    return {**last, "json": orjson.dumps({**told, "data": data}).decode()}


async def _last_that_names(
    run: Document, event: Document | None, events: EventStore, runs: RunStore
) -> tuple[Document, Document | None]:
    taken = (await events.load(run["gathering"]["events"])).values()
    naming = [each for each in taken if each["gated"] and _names(each, run["_id"])]
    if not naming:
        return run, event
    last = max(naming, key=lambda each: (each["accepted_at"], each.get("position", 0)))
    await runs.work_on(Claim(run["_id"], run["attempt"], run["owner"]), last)
    return run | event_fields(last), last


def _names(event: Document, run_id: str) -> bool:
    return any(decision.get("run_id") == run_id for decision in event["decisions"])
