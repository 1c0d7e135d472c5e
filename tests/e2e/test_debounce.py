"""Many events of one target within a while are one run, on the last of them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.caller import Caller
from tests.support.events import event
from tests.support.invariants import broken
from tests.support.platform import Platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]

Document = dict[str, Any]

EDITS = 200
AT_ONCE = 50
HOURS = 3_600
"""So long that no machine is too slow for it; the test ends the wait."""


def edit(organisation: str, number: int) -> Document:
    data = {"doc_id": "plan", "title": "Plan", "text": f"Text {number}.", "revision": number + 1}
    return event("doc.updated", organisation, data, id=f"edit-{number}")


async def publish_reader(platform: Platform, caller: Caller, debounce_seconds: int) -> None:
    """Publish an Agent of the organisation that reads docs; when this returns, the gate knows it."""
    trigger = {
        "event": "doc.updated",
        "target": {"type": "doc", "id": "{data.doc_id}"},
        "debounce_seconds": debounce_seconds,
        "max_wait_seconds": debounce_seconds,
    }
    reader = {"key": "reader", "name": "Reader", "visibility": "organisation", "handler": "noop", "triggers": [trigger]}
    for path, document in (("/api/agents", reader), ("/api/agents/reader/publish", {})):
        answer = await caller.post(path, document)
        assert answer.status in {200, 201}, answer
    await platform.restart("gating")


async def test_two_hundred_edits_of_a_doc_are_one_run_on_the_last_text(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    await publish_reader(platform, caller, HOURS)
    edits = [edit(organisation, number) for number in range(EDITS)]

    for start in range(0, EDITS, AT_ONCE):
        assert (await caller.publish(*edits[start : start + AT_ONCE])).status == 202
    # The sweep lets it go as if the wait were over.
    runs = platform.database["runs"]
    (waiting,) = await _gathered(platform, organisation)
    now = datetime.now(UTC)
    runs.update_one({"_id": waiting["_id"]}, {"$set": {"waiting_for.until": now, "sweep_at": now}})
    run = await caller.run_that_is(waiting["_id"], "completed")
    await platform.settled()

    assert (run["event"]["id"], run["event"]["data"]["text"]) == ("edit-199", "Text 199.")
    assert run["events"]["count"] == EDITS
    decisions = [
        decision
        for stored in platform.database["events"].find({"organisation": organisation, "type": "doc.updated"})
        for decision in stored["decisions"]
        if decision["agent_key"] == "reader"
    ]
    outcomes = sorted(decision["outcome"] for decision in decisions)
    assert outcomes == ["coalesced"] * (EDITS - 1) + ["run"]
    assert {decision["run_id"] for decision in decisions} == {run["id"]}
    reviews = list(runs.find({"organisation": organisation, "agent_key": "docs_memory_reviewer"}))
    taken = [key for review in reviews for key in review["gathering"]["events"]]
    assert len(taken) == len(set(taken)) == EDITS
    assert len(reviews) < EDITS / 20
    last = max(reviews, key=lambda review: review["gathering"]["latest"])
    assert (last["event_id"], {review["status"] for review in reviews}) == ("edit-199", {"completed"})
    assert list(broken(platform.database)) == []


async def _gathered(platform: Platform, organisation: str) -> list[Document]:
    """Return the Agent's runs once every edit is decided."""
    events, query = platform.database["events"], {"organisation": organisation, "type": "doc.updated"}

    async def undecided() -> int:
        return EDITS - events.count_documents({**query, "gated": True})

    await until_seen(undecided, lambda left: left == 0, 60.0)
    return list(platform.database["runs"].find({"organisation": organisation, "agent_key": "reader"}))


async def test_a_debounced_run_starts_by_itself_when_nothing_more_comes(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    await publish_reader(platform, caller, 1)

    answer = await caller.publish(edit(organisation, 1))
    (run_id,) = [run["id"] for run in answer.body["agent_runs"] if run["agent_key"] == "reader"]

    assert (await caller.run_that_is(run_id, "completed"))["events"]["count"] == 1
