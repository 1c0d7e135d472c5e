"""The generic Agent on a scripted model: one call, one mending, and nothing paid for twice."""

from typing import Any

import pytest

from contracts.agents import MemoryOwner, ModelTier
from services.runner.agents.answering import OutputInvalid
from shared.domain.memory import Owner
from shared.domain.run import Usage
from shared.llm.errors import ModelRateLimited, ModelUnavailable
from shared.llm.port import Message, Role
from shared.store.memory import Author, MemoryStore
from shared.store.mongo import Mongo
from shared.store.transaction import Transaction
from tests.integration.services.agents import MODELS, Bench, said
from tests.unit.shared.given import NOW, a_spec

DIFF = {
    "owner": "user",
    "block_label": "preferences",
    "field": "reviews",
    "operation": "replace",
    "proposed_value": "mornings",
    "reasoning": "Ada said so.",
    "confidence": "high",
}
SCHEMA = {
    "type": "object",
    "properties": {
        "summary": {"type": "string", "minLength": 1},
        "memory_diffs": {"type": "array", "items": {"type": "object", "required": ["owner", "field"]}},
    },
    "required": ["summary", "memory_diffs"],
    "additionalProperties": False,
}
SPEC = a_spec(
    "noter",
    handler="llm",
    instructions="Take notes.",
    output_schema=SCHEMA,
    memory=["user", "project"],
    effects=["memory_diff"],
    model={"tier": "reasoning", "max_output_tokens": 700},
)
GOOD = {"summary": "Ada likes mornings.", "memory_diffs": [DIFF]}


async def remember(mongo: Mongo, owner: Owner, label: str, fields: dict[str, str]) -> None:
    def write(within: Transaction) -> None:
        memory = MemoryStore(mongo.database)
        block = memory.block(within, "acme", owner, label)
        memory.write(within, block, fields, Author("olga", "noter", "run_0", "prp_0"), NOW)

    await mongo.transaction(write)


async def test_a_good_answer_is_the_output_and_its_effects(mongo: Mongo) -> None:
    await remember(mongo, Owner(MemoryOwner.USER, "ada"), "preferences", {"reviews": "evenings"})
    bench = Bench(mongo, SPEC)
    agent, model = bench.agent(said(GOOD))
    attempt = bench.attempt()

    done = await agent(attempt)

    assert done.output == GOOD
    (effect,) = done.effects
    assert (effect["base_version"], effect["change"]["current_value"]) == (1, "evenings")
    assert effect["change"]["owner"] == {"type": "user", "id": "ada"}
    assert attempt.usage == Usage(10, 5, 1)
    model.assert_finished()


async def test_the_model_is_asked_as_the_version_says_with_event_and_memory(mongo: Mongo) -> None:
    await remember(mongo, Owner(MemoryOwner.PROJECT, "apollo"), "goals", {"launch": "in May"})
    await remember(mongo, Owner(MemoryOwner.USER, "bob"), "private", {"secret": "yes"})
    bench = Bench(mongo, SPEC)
    agent, model = bench.agent(said(GOOD))

    await agent(bench.attempt())

    (request,) = model.requests
    assert (request.model, request.instructions, request.max_output_tokens) == ("deep", "Take notes.", 700)
    assert (request.output_schema, request.schema_name) == (SCHEMA, "noter")
    assert request.metadata == {"run_id": "run_1", "attempt": "1", "agent_key": "noter", "step": "run_1:1"}
    assert len(request.input) == 1
    message = request.input[0]
    assert isinstance(message, Message)
    assert "launch: in May" in message.text
    assert "secret" not in message.text
    assert "untrusted data" in message.text


async def test_an_agent_without_memory_reads_none(mongo: Mongo) -> None:
    bench = Bench(mongo, a_spec("noter", handler="llm"))
    agent, model = bench.agent("Just text.")

    done = await agent(bench.attempt())

    assert (done.output, done.effects) == ({"text": "Just text."}, ())
    assert [step["kind"] for step in await bench.recorded()] == ["model_call"]
    assert model.requests[0].model == "quick"


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ("Well, I think...", "it is not JSON"),
        ({"summary": "x"}, "'memory_diffs' is a required property"),
        ({"summary": "", "memory_diffs": []}, "$.summary"),
        ([], "is not of type 'object'"),
        ({**GOOD, "extra": 1}, "Additional properties"),
    ],
)
async def test_an_invalid_answer_is_mended_once_by_being_shown_what_is_wrong(
    mongo: Mongo, bad: Any, fault: str
) -> None:
    bench = Bench(mongo, SPEC)
    agent, model = bench.agent(said(bad), said(GOOD, 20, 7))
    attempt = bench.attempt()

    done = await agent(attempt)

    assert done.output == GOOD
    assert attempt.usage == Usage(30, 12, 2)
    repair = model.requests[1].input
    assert [message.role for message in repair if isinstance(message, Message)] == [
        Role.USER,
        Role.ASSISTANT,
        Role.USER,
    ]
    assert isinstance(repair[-1], Message)
    assert fault in repair[-1].text
    model.assert_finished()


async def test_an_answer_that_stays_invalid_is_a_typed_failure(mongo: Mongo) -> None:
    bench = Bench(mongo, SPEC)
    agent, model = bench.agent(said("no"), said({"summary": "x"}))
    attempt = bench.attempt()

    with pytest.raises(OutputInvalid, match=r"even after one correction: .*'memory_diffs' is a required property"):
        await agent(attempt)

    assert attempt.usage == Usage(20, 10, 2)
    model.assert_finished()


@pytest.mark.parametrize("error", [ModelRateLimited("Slow down.", 7.0), ModelUnavailable("gone")])
async def test_an_error_of_the_model_is_told_as_it_is(mongo: Mongo, error: Exception) -> None:
    bench = Bench(mongo, SPEC)
    agent, _ = bench.agent(error)  # type: ignore[arg-type]  # both are errors of the application
    attempt = bench.attempt()

    with pytest.raises(type(error)) as raised:
        await agent(attempt)

    assert raised.value is error
    assert attempt.usage == Usage()


async def test_a_resumed_attempt_calls_nothing_that_was_answered(mongo: Mongo) -> None:
    bench = Bench(mongo, SPEC)
    first, _ = bench.agent(said("no"), ModelUnavailable("gone"))
    with pytest.raises(ModelUnavailable):
        await first(bench.attempt(1))

    second, model = bench.agent(said(GOOD, 20, 7))
    attempt = bench.attempt(2)
    done = await second(attempt)

    assert done.output == GOOD
    assert attempt.usage == Usage(30, 12, 2)
    model.assert_finished()


async def test_a_finished_attempt_is_repeated_without_any_call(mongo: Mongo) -> None:
    bench = Bench(mongo, SPEC)
    first, _ = bench.agent(said(GOOD))
    done = await first(bench.attempt(1))

    second, model = bench.agent()

    assert await second(bench.attempt(2)) == done
    model.assert_finished()


async def test_a_resumed_attempt_sees_the_memory_that_the_first_one_saw(mongo: Mongo) -> None:
    ada = Owner(MemoryOwner.USER, "ada")
    await remember(mongo, ada, "preferences", {"reviews": "evenings"})
    bench = Bench(mongo, SPEC)
    first, _ = bench.agent(ModelUnavailable("gone"))
    with pytest.raises(ModelUnavailable):
        await first(bench.attempt(1))
    await remember(mongo, ada, "preferences", {"reviews": "noon"})

    second, model = bench.agent(said(GOOD))
    (effect,) = (await second(bench.attempt(2))).effects

    assert (effect["base_version"], effect["change"]["current_value"]) == (1, "evenings")
    assert "evenings" in str(model.requests[0].input)


async def test_a_model_that_was_exchanged_between_attempts_is_asked_anew(mongo: Mongo) -> None:
    before = Bench(mongo, SPEC)
    first, _ = before.agent(said("no"), ModelUnavailable("gone"))
    with pytest.raises(ModelUnavailable):
        await first(before.attempt(1))

    after = Bench(mongo, SPEC, models={**MODELS, ModelTier.REASONING: "deeper"})
    second, model = after.agent(said(GOOD))

    assert (await second(after.attempt(2))).output == GOOD
    assert model.requests[0].model == "deeper"
