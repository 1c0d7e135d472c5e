"""Threads are read, by those whose they are, and nobody chats with a hidden Agent."""

from datetime import timedelta
from typing import Any

import pytest_asyncio

from shared.domain.projection import proposals_of
from shared.domain.run import Claim, RunStatus
from shared.domain.step import hash_of_request, tool_request
from shared.store.agents import AgentStore
from shared.store.events import EventStore
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from shared.store.steps import Intent, StepStore
from tests.integration.gateway.asking import Asking
from tests.integration.store.given import accepted
from tests.unit.shared.given import LATER, NOW, a_memory_effect, a_new_run, a_spec, a_stored_run, a_ticket_effect

ME = "olga"
CHATS = ("/api/agents/{}/chat", "/v1/chat/completions", "/v1/responses")
Document = dict[str, Any]


@pytest_asyncio.fixture
async def seeded(mongo: Mongo) -> Mongo:
    """Publish a hidden Agent and one that is shown, with runs of each: three of this user, and of others."""
    agents = AgentStore(mongo.database)
    await agents.publish(a_spec("keeper", name="Keeper", hidden=True), "tests", NOW)
    await agents.publish(a_spec("talker", name="Talker"), "tests", NOW)
    event = accepted("event-1")
    await EventStore(mongo.database).accept([event])
    runs = [
        a_run("run_1", "keeper", 0, event_key=event.key),
        a_run("run_2", "keeper", 2),
        a_run("run_3", "talker", 1),
        a_run("run_4", "keeper", 3, user="bob"),
        a_run("run_5", "keeper", 3, organisation="other"),
        {**a_run("run_6", "keeper", 3), "replay": {"id": "rpl_1", "of": "run_1"}},
    ]
    await mongo.database["runs"].insert_many(runs)
    await ProposalStore(mongo).project([proposal for run in runs[:2] for proposal in proposals_of(run)])
    return mongo


def a_run(id: str, agent_key: str, days: int, **changes: Any) -> Document:
    given = {"user": ME, "agent_key": agent_key, "queued_at": NOW + timedelta(days=days), **changes}
    effects = [a_memory_effect(0, field=id), a_ticket_effect(1)]
    return a_stored_run(RunStatus.COMPLETED, a_new_run(id, **given), effects=effects)


async def ids(asking: Asking, path: str, *roles: str, **params: str) -> list[str]:
    answer = await asking.ask("GET", path, *roles, params=params)
    assert answer.status_code == 200, answer.text
    return [thread["id"] for thread in answer.json()["threads"]]


async def test_a_user_reads_the_own_threads_newest_first(asking: Asking, seeded: Mongo) -> None:
    assert await ids(asking, "/api/threads") == ["run_2", "run_3", "run_1"]
    assert await ids(asking, "/api/threads", agent_key="keeper") == ["run_2", "run_1"]
    assert await ids(asking, "/api/threads", "backend", user="bob") == ["run_4"]

    page = (await asking.ask("GET", "/api/threads", params={"limit": "2"})).json()
    rest = (await asking.ask("GET", "/api/threads", params={"cursor": page["next_cursor"]})).json()
    assert [thread["id"] for thread in rest["threads"]] == ["run_1"]
    assert rest["threads"][0]["title"] == "Keeper - 2026-11-20"


async def test_a_thread_shows_what_started_it_and_what_was_said_and_done(asking: Asking, seeded: Mongo) -> None:
    steps, claim = StepStore(seeded.database), Claim("run_1", 1, "runner-1")
    asked = hash_of_request(tool_request("read_memory", {"label": "a"}))
    call = {"id": "c", "name": "read_memory", "arguments": '{"label":"a"}'}
    large = "x" * 300_000
    made: list[tuple[str, str, str, Document]] = [
        ("model_call", "fast-1", "h", {"text": "Let me look.", "usage": {}, "tool_calls": [call]}),
        ("tool_call", "read_memory", asked, {"output": large}),
    ]
    for index, (kind, name, hash_, result) in enumerate(made):
        await steps.intend(Intent(claim, index, kind, name, hash_, NOW))
        await steps.finish(claim, index, LATER, result)

    thread = (await asking.ask("GET", "/api/threads/run_1")).json()

    question, answer = thread["messages"]
    assert (question["role"], '"type": "checkin.submitted"' in question["content"]) == ("user", True)
    assert (answer["role"], answer["model"], answer["content"]) == ("assistant", "fast-1", "Let me look.")
    (event,) = answer["tool_events"]
    assert (event["round"], event["tool"], event["command"]) == (1, "read_memory", '{"label":"a"}')
    assert event["output"].startswith("xxx")
    assert (thread["read_only"], thread["output"]) == (True, {"summary": "well"})


async def test_the_agents_of_a_user_come_with_their_threads_and_pending_diffs(asking: Asking, seeded: Mongo) -> None:
    answer = (await asking.ask("GET", f"/api/users/{ME}/agents")).json()

    shown = [
        (each["name"], each["hidden"], each["pending_diffs"], [thread["id"] for thread in each["threads"]])
        for each in answer["agents"]
    ]
    assert shown == [("Keeper", True, 2, ["run_2", "run_1"]), ("Talker", False, 0, ["run_3"])]


async def test_threads_of_others_do_not_exist(asking: Asking, seeded: Mongo) -> None:
    for run_id in ("run_4", "run_5"):
        assert (await asking.ask("GET", f"/api/threads/{run_id}")).status_code == 404
        assert (await asking.ask("POST", f"/api/threads/{run_id}/messages", json={})).status_code == 404
    assert (await asking.ask("GET", "/api/threads/run_5", "organisation_admin")).status_code == 404
    assert (await asking.ask("GET", "/api/users/bob/agents")).status_code == 403


async def test_nobody_starts_or_continues_a_chat_with_a_hidden_agent(asking: Asking, seeded: Mongo) -> None:
    expected = {"keeper": (403, "agent_hidden"), "talker": (409, "chat_unsupported"), "nobody": (404, "not_found")}
    for key, (status, code) in expected.items():
        for path in CHATS:
            refused = await asking.ask("POST", path.format(key), "server_admin", json={"model": key})
            assert (refused.status_code, refused.json()["code"]) == (status, code), path
    for run_id, key in (("run_1", "keeper"), ("run_3", "talker")):
        refused = await asking.ask("POST", f"/api/threads/{run_id}/messages", json={"content": "And now?"})
        assert (refused.status_code, refused.json()["code"]) == expected[key]
        assert refused.json()["error"]["message"] == refused.json()["detail"]


async def test_models_are_the_agents_that_are_not_hidden(asking: Asking, seeded: Mongo) -> None:
    listed = (await asking.ask("GET", "/v1/models")).json()

    created = int(NOW.timestamp())
    assert listed["data"] == [{"id": "talker", "object": "model", "created": created, "owned_by": "towpath"}]
