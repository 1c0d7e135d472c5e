"""/api/agents/{key}/replays: who may start them on what, that they are started once, and what is shown of them."""

from typing import Any

from shared.clock import utc_now
from shared.domain.replaying import draft_version_id
from shared.domain.run import RunStatus
from shared.store.agents import AgentStore
from shared.store.mongo import Mongo
from shared.store.run_documents import NewRun
from tests.integration.gateway.asking import Asking
from tests.unit.shared.given import Document, a_memory_effect, a_new_run, a_spec, a_stored_run

ADMIN, SERVER_ADMIN = "organisation_admin", "server_admin"
PATH = "/api/agents/noter/replays"
OF_LATEST: Document = {"version": 1, "runs": {"latest": 10}, "request_id": "request-1"}


async def given(mongo: Mongo, *runs: Document) -> None:
    """Publish an Agent of the server's, and store runs of it."""
    await AgentStore(mongo.database).publish(a_spec("noter"), "olga", utc_now())
    await mongo.database["runs"].insert_many(list(runs))


def a_run(id: str, status: RunStatus = RunStatus.COMPLETED, organisation: str = "acme", **changes: Any) -> Document:
    new: NewRun = a_new_run(id, organisation=organisation)
    return {name: value for name, value in a_stored_run(status, new, **changes).items() if name != "sweep_at"}


async def start(asking: Asking, **wanted: Any) -> Document:
    answer = await asking.ask("POST", PATH, ADMIN, SERVER_ADMIN, json=OF_LATEST | wanted)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def children(mongo: Mongo, replay: str) -> list[Document]:
    return await mongo.database["runs"].find({"replay.id": replay}).sort("replay.of", 1).to_list(None)


async def test_a_request_is_one_replay_of_the_latest_runs_that_ended_by_themselves(
    asking: Asking, mongo: Mongo
) -> None:
    other_agents = a_run("run_5", agent_key="reader", agent_version_id="reader:1")
    await given(
        mongo,
        a_run("run_1"),
        a_run("run_2", RunStatus.FAILED, agent_version=2, agent_version_id="noter:2"),
        a_run("run_3", RunStatus.CANCELLED),
        a_run("run_4", organisation="other"),
        other_agents,
        a_run("run_6", agent_version_id="acme/noter:1"),
    )

    first, again = await start(asking), await start(asking)
    reused = await asking.ask("POST", PATH, ADMIN, json=OF_LATEST | {"runs": {"latest": 9}})
    of_one_version = await start(asking, runs={"latest": 10, "version": 2}, request_id="request-2")

    assert first["id"] == again["id"]
    assert (first["status"], first["progress"]["total"], first["progress"]["queued"]) == ("running", 2, 2)
    assert (reused.status_code, reused.json()["code"]) == (409, "request_id_reused")
    runs = await children(mongo, first["id"])
    assert [run["replay"]["of"] for run in runs] == ["run_1", "run_2"]
    assert {(run["lane"], run["agent_version_id"], run["user"]) for run in runs} == {("low", "noter:1", "ada")}
    assert [run["replay"]["of"] for run in await children(mongo, of_one_version["id"])] == ["run_2"]


async def test_runs_of_others_are_neither_replayed_nor_seen(asking: Asking, mongo: Mongo) -> None:
    await given(mongo, a_run("run_1"), a_run("run_2", organisation="other"))
    replay = await start(asking)
    one = f"{PATH}/{replay['id']}"

    theirs = await asking.ask("POST", PATH, ADMIN, json={"version": 1, "runs": {"ids": ["run_1", "run_2"]}})
    user = await asking.ask("POST", PATH, json=OF_LATEST)
    seen = [await asking.ask("GET", path, ADMIN, organisation="other") for path in (PATH, one)]
    ended = await asking.ask("POST", f"{one}/cancel", ADMIN, organisation="other")
    backend = await asking.ask("POST", f"{one}/cancel", "backend")

    assert (theirs.status_code, "'run_2'" in theirs.json()["detail"]) == (422, True)
    assert (user.status_code, backend.status_code) == (403, 403)
    assert (seen[0].json()["replays"], seen[1].status_code, ended.status_code) == ([], 404, 404)
    assert [run["status"] for run in await children(mongo, replay["id"])] == ["queued"]


async def test_a_draft_is_replayed_as_it_was_when_the_replay_was_asked_for(asking: Asking, mongo: Mongo) -> None:
    await given(mongo, a_run("run_1"))
    missing = await asking.ask("POST", PATH, SERVER_ADMIN, json={"draft": True, "runs": {"latest": 1}})
    draft = {"key": "noter", "name": "Noter", "handler": "noop", "instructions": "Be brief."}
    await asking.ask("PUT", "/api/agents/noter", SERVER_ADMIN, json=draft)

    replay = await start(asking, version=None, draft=True)
    await asking.ask("PUT", "/api/agents/noter", SERVER_ADMIN, json=draft | {"instructions": "Be long."})
    not_theirs = await asking.ask(
        "POST", PATH, ADMIN, json=OF_LATEST | {"version": None, "draft": True, "request_id": "2"}
    )

    (run,) = await children(mongo, replay["id"])
    pinned = await AgentStore(mongo.database).version_of_id(run["agent_version_id"])
    assert run["agent_version_id"] == draft_version_id("noter", replay["id"])
    assert pinned is not None
    assert pinned.spec.instructions == "Be brief."
    assert (replay["draft"], replay["agent_version"]) == (True, None)
    assert (missing.status_code, missing.json()["detail"].startswith("draft: ")) == (422, True)
    assert not_theirs.status_code == 403


async def test_a_request_that_says_too_little_or_too_much_names_the_field(asking: Asking) -> None:
    wrong = {
        "version": {"runs": {"latest": 1}},
        "runs": {"version": 1, "runs": {}},
        "runs.version": {"version": 1, "runs": {"ids": ["run_1"], "version": 1}},
        "body.runs.latest": {"version": 1, "runs": {"latest": 201}},
    }

    answers = {field: await asking.ask("POST", PATH, ADMIN, json=body) for field, body in wrong.items()}

    assert {field: answer.status_code for field, answer in answers.items()} == dict.fromkeys(wrong, 422)
    assert [field for field, answer in answers.items() if not answer.json()["detail"].startswith(f"{field}: ")] == []


async def test_replays_are_in_no_list_of_runs_and_not_cancelled_with_others_unless_asked_for(
    asking: Asking, mongo: Mongo
) -> None:
    await given(mongo, a_run("run_1"))
    replay = await start(asking)
    everybody = {"all_users": "true"}

    usual = await asking.ask("GET", "/api/agent-runs", ADMIN, params=everybody)
    asked = await asking.ask("GET", "/api/agent-runs", ADMIN, params=everybody | {"replays": "true"})
    figures = await asking.ask("GET", "/api/agents/noter/stats", ADMIN)
    cancelled = await asking.ask("POST", "/api/agent-runs/cancel", ADMIN, json={"all_users": True})
    ended = await asking.ask("POST", f"{PATH}/{replay['id']}/cancel", ADMIN, json={"reason": "Enough"})

    assert ([run["id"] for run in usual.json()["agent_runs"]], usual.json()["active"]) == ([], 0)
    (run,) = asked.json()["agent_runs"]
    assert (run["trigger"]["kind"], run["trigger"]["original_run_id"], asked.json()["active"]) == ("replay", "run_1", 1)
    assert figures.json()["figures"]["by_status"]["queued"] == 0
    assert cancelled.json()["cancelled"] == 0
    assert (ended.json()["status"], ended.json()["progress"]["cancelled"]) == ("cancelled", 1)
    assert (ended.json()["cancel"]["requested_by"], ended.json()["cancel"]["reason"]) == ("olga", "Enough")


async def test_a_replay_is_shown_beside_its_originals(asking: Asking, mongo: Mongo) -> None:
    await given(mongo, a_run("run_1"), a_run("run_2"))
    approved = {"kind": "memory_diff", "change": a_memory_effect()["change"], "status": "approved"}
    await mongo.database["proposals"].insert_one({"_id": "prp_1", "run_id": "run_1", **approved})
    replay = await start(asking)
    ended = a_run("", output_json='{"summary":"better"}')
    kept = ("status", "usage", "started_at", "finished_at", "output_json")
    effects = [a_memory_effect() | {"dropped": "this run is a replay, so its effects are off"}]
    await mongo.database["runs"].update_one(
        {"replay.of": "run_1"}, {"$set": {**{name: ended[name] for name in kept}, "effects": effects}}
    )

    shown = await asking.ask("GET", f"{PATH}/{replay['id']}", ADMIN, params={"limit": "1"})
    listed = await asking.ask("GET", PATH, "backend")

    report = shown.json()
    assert (report["totals"]["results"], report["progress"]["completed"]) == ({"different": 1, "open": 1}, 1)
    pairs = {pair["original_run_id"]: pair for pair in report["pairs"]}
    assert len(pairs) == 1
    old, new = report["totals"]["old"], report["totals"]["new"]
    assert (old["approved"], new["approved"], new["acceptance_rate"]) == (1, 1, 1.0)
    assert (old["input_tokens"], new["input_tokens"], new["median_latency_seconds"]) == (12, 12, 7.0)
    assert [each["agent_version"] for each in report["versions"]] == [1]
    everything = (await asking.ask("GET", f"{PATH}/{replay['id']}", ADMIN)).json()["pairs"]
    (different,) = [pair for pair in everything if pair["result"] == "different"]
    assert different["changes"] == [{"field": "summary", "old": "well", "new": "better"}]
    assert [each["id"] for each in listed.json()["replays"]] == [replay["id"]]
