"""Agents that ask questions about their user, on a scripted model: one insight each, and none lost by another."""

from typing import Any

import pytest

from contracts.agents import CallMode, MemoryOwner
from services.runner.agents.model_calls import ModelCalls
from services.runner.agents.queries import QueriesAgent, UserMissing
from services.runner.agents.tool_calls import ToolCalls
from services.runner.tools.tool import stores_of
from shared.domain.event import accepted_event
from shared.domain.memory import Owner
from shared.domain.run import Usage
from shared.llm.errors import ModelRefused, ModelUnavailable
from shared.llm.port import Message, ModelRequest
from shared.llm.port import Usage as Paid
from shared.store.events import EventStore
from shared.store.mongo import Mongo
from shared.testing.model import ScriptedModel, Step
from tests.integration.services.agents import MODELS, TIMEOUT_SECONDS, Bench, said
from tests.integration.services.test_llm_agent import remember
from tests.unit.shared.given import NOW, a_spec, an_event

QUERIES: list[dict[str, Any]] = [
    {"target": "journey.blockers", "question": "What blocks them?", "merge": "replace"},
    {"target": "student.insights", "question": "What is new?", "scope": "recent", "recent_limit": 1},
    {"target": "engagement.approach", "question": "What works?", "merge": "llm_diff"},
]
SPEC = a_spec(
    "grader",
    handler="queries",
    instructions="You grade.",
    memory=["user"],
    effects=["memory_diff"],
    queries=QUERIES,
    retry_attempts=1,
)


def insight(text: str) -> Any:
    return said({"insight": text, "confidence": "high", "reasoning": 'She says "so".'})


def agent(mongo: Mongo, *steps: Step) -> tuple[QueriesAgent, ScriptedModel]:
    model = ScriptedModel(*steps)
    stores = stores_of(mongo.database)
    calls = ModelCalls(model, TIMEOUT_SECONDS, CallMode.PLAIN)
    return QueriesAgent(calls, ToolCalls({}, stores), MODELS, stores.memory, stores.events), model


async def chat(mongo: Mongo, user: str, project: str, *texts: str) -> None:
    events = []
    for number, text in enumerate(texts):
        data = {"session_id": "s-1", "turn_id": str(number), "messages": [{"role": "user", "text": text}]}
        attributes = {"organisationid": "acme", "projectid": project, "userid": user}
        event = an_event("chat.turn_completed", id=f"{user}-{project}-{number}", data=data, **attributes)
        events.append(accepted_event(event, event.to_json().decode(), NOW.replace(minute=number)))
    await EventStore(mongo.database).accept(events)


def asked(request: ModelRequest) -> str:
    assert not isinstance(request.input, str)
    (message,) = request.input
    assert isinstance(message, Message)
    return message.text


async def test_each_query_becomes_a_memory_diff_in_its_own_way(mongo: Mongo) -> None:
    await remember(mongo, Owner(MemoryOwner.USER, "ada"), "engagement", {"approach": "Short mails."})
    await chat(mongo, "ada", "apollo", "I wait for the key.", "Calls work.")
    await chat(mongo, "bob", "apollo", "I am Bob.")
    await chat(mongo, "ada", "gemini", "Elsewhere.")
    run, model = agent(
        mongo, insight("The key."), insight(""), insight("Calls."), said({"merged_text": "Calls, mails."})
    )
    attempt = Bench(mongo, SPEC).attempt()

    done = await run(attempt)

    changes = [(each["change"]["operation"], each["change"]["proposed_value"]) for each in done.effects]
    assert changes == [("replace", "The key."), ("llm_diff", "Calls, mails.")]
    assert (done.effects[1]["base_version"], done.effects[1]["change"]["current_value"]) == (1, "Short mails.")
    assert [each["status"] for each in done.output["queries"]] == ["proposed", "nothing_new", "proposed"]
    assert done.tally == {"queries_executed": 3, "queries_failed": 0}
    everything, latest, _, merging = map(asked, model.requests)
    assert "I wait for the key." in everything
    assert "Bob" not in everything
    assert "Elsewhere" not in everything
    assert "Calls work." in latest
    assert "I wait" not in latest
    assert "Short mails." in merging
    assert model.requests[0].instructions == "You grade."
    model.assert_finished()


async def test_a_query_that_fails_loses_no_other_and_is_reported_and_paid(mongo: Mongo) -> None:
    refused = ModelRefused("The model declined.", Paid(7, 3))
    run, _ = agent(mongo, insight("The key."), refused, insight("Calls."))
    attempt = Bench(mongo, SPEC).attempt()

    done = await run(attempt)

    assert len(done.effects) == 2
    failed = done.output["queries"][1]
    assert (failed["status"], failed["error"]["code"]) == ("failed", "model_refused")
    assert done.tally == {"queries_executed": 2, "queries_failed": 1}
    assert attempt.usage == Usage(27, 13, 3)


async def test_what_may_pass_is_tried_again_and_what_was_answered_is_not_paid_again(mongo: Mongo) -> None:
    bench = Bench(mongo, SPEC)
    run, model = agent(mongo, ModelUnavailable("gone"), insight("New."), insight("Calls."), insight("The key."))
    with pytest.raises(ModelUnavailable):
        await run(bench.attempt())

    done = await run(bench.attempt(2))

    assert [each["status"] for each in done.output["queries"]] == ["proposed", "proposed", "proposed"]
    assert len(model.requests) == 4
    model.assert_finished()


async def test_with_no_attempt_left_the_others_count_and_none_at_all_is_a_failure(mongo: Mongo) -> None:
    bench = Bench(mongo, SPEC)
    run, _ = agent(mongo, ModelUnavailable("gone"), insight("New."), insight("Calls."))
    attempt = bench.attempt()
    attempt.run["failures"] = 1

    assert (await run(attempt)).tally == {"queries_executed": 2, "queries_failed": 1}

    gone, _ = agent(mongo, *(ModelUnavailable("gone") for _ in QUERIES))
    last = bench.attempt(3)
    last.run["failures"] = 1
    last.spec = SPEC.model_copy(update={"instructions": "You grade anew."})
    with pytest.raises(ModelUnavailable):
        await gone(last)


async def test_a_session_that_nobody_names_fails_its_query_and_a_run_without_a_user_everything(mongo: Mongo) -> None:
    queries = [{**QUERIES[0], "scope": "session"}, QUERIES[1]]
    bench = Bench(mongo, SPEC.model_copy(update={"queries": a_spec(queries=queries).queries}))
    run, model = agent(mongo, insight("New."))

    attempt = bench.attempt()
    attempt.event["data"] = {}

    done = await run(attempt)

    assert done.output["queries"][0]["error"]["code"] == "session_unknown"
    attempt.run["user"] = None
    with pytest.raises(UserMissing):
        await run(attempt)
    model.assert_finished()
