"""A draft is tried on past runs of the whole platform, and compared with what people decided about them."""

import pytest

from tests.support.caller import Caller
from tests.support.command_line import towpath
from tests.support.events import checkin
from tests.support.invariants import check_invariants
from tests.support.platform import Platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]

AGENT = "today_checkin_processor"
PATH = f"/api/agents/{AGENT}/replays"
MORNINGS, NOON = "I prefer meetings in the morning.", "I prefer lunch at noon."


async def _decided_runs(caller: Caller, organisation: str) -> list[str]:
    """Start two runs, each worth one proposal, and approve the one and reject the other; return the runs."""
    runs = [await caller.start_run(checkin(organisation, text)) for text in (MORNINGS, NOON)]
    for run, verb in zip(runs, ("approve", "reject"), strict=True):
        (proposal,) = await caller.proposals_of(run)
        assert (await caller.post(f"/api/proposals/{proposal['id']}/{verb}")).status == 200
    return runs


async def test_a_version_is_replayed_on_past_runs_with_what_they_read_and_proposes_nothing(
    platform: Platform, organisation: str
) -> None:
    caller = platform.caller(organisation)
    runs = await _decided_runs(caller, organisation)
    before = len(await caller.proposals())

    wanted = {"version": 1, "runs": {"latest": 10}, "request_id": "before-publishing"}
    answers = [await caller.post(PATH, wanted) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202], answers
    one = f"{PATH}/{answers[0].body['id']}"
    report = await until_seen(lambda: caller.get(one), lambda answer: answer.body["status"] == "completed", 60.0)

    totals = report.body["totals"]
    assert answers[0].body["id"] == answers[1].body["id"]
    assert {pair["original_run_id"] for pair in report.body["pairs"]} == set(runs)
    # The offline model says the same of the same, though memory holds what was approved since.
    assert (totals["results"], totals["fresh_reads"]) == ({"same": 2}, 0), report.body
    assert [totals[side]["acceptance_rate"] for side in ("old", "new")] == [0.5, 0.5]
    assert totals["new"]["model_calls"] == totals["old"]["model_calls"] > 0
    replayed = await caller.run(report.body["pairs"][0]["run_id"])
    assert (replayed["trigger"]["kind"], replayed["priority_level"]) == ("replay", "low")
    assert all(effect["dropped"] for effect in replayed["effects"])
    assert {run["id"] for run in await caller.runs()} == set(runs)
    await platform.settled()
    assert len(await caller.proposals()) == before
    check_invariants(platform.database)


async def test_a_draft_is_replayed_from_the_command_line_and_can_be_cancelled(
    platform: Platform, organisation: str
) -> None:
    caller = platform.caller(organisation)
    await caller.proposals_of(await caller.start_run(checkin(organisation)))
    admin = platform.caller(organisation, roles=("server_admin",))
    published = (await admin.get(f"/api/agents/{AGENT}")).body["configuration"]
    assert (await admin.put(f"/api/agents/{AGENT}", published | {"instructions": "Say little."})).status == 200

    started = await towpath(admin, "replays", "start", AGENT, "--draft", "--latest", "1", "--json")
    replay = started.json["id"]
    report = await until_seen(
        lambda: admin.get(f"{PATH}/{replay}"), lambda answer: answer.body["status"] == "completed", 60.0
    )
    shown = await towpath(admin, "replays", "show", AGENT, replay)
    cancelled = await towpath(admin, "replays", "cancel", AGENT, replay, "--json")

    (pair,) = report.body["pairs"]
    assert (started.json["draft"], pair["new"]["status"]) == (True, "completed")
    assert (shown.exit_code, pair["run_id"] in shown.out) == (0, True), shown
    assert cancelled.json["status"] == "completed"
