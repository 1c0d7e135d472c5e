"""One attempt from its claim to its end: whatever a handler does, the run ends in a way that says so."""

import asyncio
from typing import Any

import pytest
from nats.aio.client import Client

from contracts.agents import Scope
from contracts.registry import parse_json
from contracts.streams import RUN_EVENTS
from services.runner.work import Attempt, Handler
from shared.domain.binding import Binding, ScopeRef
from shared.domain.run import Done, Usage
from shared.errors import Permanent, Retryable
from shared.llm.errors import ModelAnswerCut, ModelRateLimited
from shared.llm.port import Usage as ModelUsage
from shared.messaging.publisher import Publisher
from shared.store.mongo import Mongo
from tests.integration.messaging.looking import messages_of
from tests.integration.services.running import Runner
from tests.integration.store.given import LEASE_SECONDS
from tests.unit.shared.given import Document, a_memory_effect, triggered

SPEC = triggered("noter", handler="test", retry_attempts=2)


def failing(error: Exception) -> Handler:
    async def work(attempt: Attempt) -> Done:
        attempt.usage = Usage(10, 5, 1)
        raise error

    return work


async def succeeding(attempt: Attempt) -> Done:
    attempt.usage = Usage(10, 5, 1)
    return Done({"event": attempt.event["type"]}, (a_memory_effect(),))


async def ended(mongo: Mongo, work: Handler, publisher: Publisher | None = None, **changes: Any) -> Document:
    """Run one attempt with this handler, and return the run after it."""
    runner = Runner(mongo, publisher or Publisher(), {"test": work})
    spec = SPEC.model_copy(update=changes)
    (run_id,) = await runner.decide("a", spec=spec)
    await runner.execution.run(await runner.claim(run_id, spec))
    return await runner.run_of(run_id)


async def test_a_run_that_is_done_is_completed_projected_told_and_settled(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    run = await ended(mongo, succeeding, publisher)

    assert (run["status"], run["output_json"]) == ("completed", '{"event":"checkin.submitted"}')
    assert run["usage"] == {"input_tokens": 10, "output_tokens": 5, "model_calls": 1}
    assert await mongo.database["proposals"].count_documents({"run_id": run["_id"]}) == 1
    ((_, body, _),) = await messages_of(client, RUN_EVENTS.name, 1)
    assert parse_json(body).type == "run.completed"
    assert "sweep_at" not in run


async def test_without_nats_a_run_is_completed_and_stays_due_for_the_sweep(mongo: Mongo) -> None:
    run = await ended(mongo, succeeding)

    assert run["status"] == "completed"
    assert "sweep_at" in run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Retryable("Not now."), "internal"),
        (ModelRateLimited("Slow down.", 30.0), "model_rate_limited"),
        (ValueError("secret words"), "internal"),
        (TimeoutError("of the handler's own"), "internal"),
    ],
)
async def test_what_may_pass_is_tried_again_later(mongo: Mongo, error: Exception, code: str) -> None:
    run = await ended(mongo, failing(error))

    assert (run["status"], run["failures"], run["waiting_for"]["what"]) == ("queued", 1, "retry")
    assert run["error"]["code"] == code
    assert "secret words" not in run["error"]["detail"]
    assert run["usage"]["model_calls"] == 1


async def test_the_delay_is_what_the_provider_asked_for(mongo: Mongo) -> None:
    run = await ended(mongo, failing(ModelRateLimited("Slow down.", 30.0)))

    assert (run["waiting_for"]["until"] - run["changed_at"]).total_seconds() == 30


async def test_what_cannot_pass_fails_at_once(mongo: Mongo) -> None:
    run = await ended(mongo, failing(Permanent("Never.")))

    assert (run["status"], run["attempt"], run["error"]["detail"]) == ("failed", 1, "Never.")


async def test_a_call_that_failed_and_was_paid_for_is_counted(mongo: Mongo) -> None:
    run = await ended(mongo, failing(ModelAnswerCut("Cut.", ModelUsage(7, 3))))

    assert run["status"] == "failed"
    assert run["usage"] == {"input_tokens": 17, "output_tokens": 8, "model_calls": 2}


async def test_an_attempt_ends_after_the_agents_time(mongo: Mongo) -> None:
    async def endless(attempt: Attempt) -> Done:
        await asyncio.Event().wait()
        raise AssertionError("it cannot come here")

    run = await ended(mongo, endless, timeout_seconds=1)

    assert (run["status"], run["error"]["code"]) == ("queued", "attempt_timed_out")
    assert "1 s" in run["error"]["detail"]


async def test_after_the_last_attempt_a_run_has_failed(mongo: Mongo) -> None:
    runner = Runner(mongo, Publisher(), {"test": failing(Retryable("Not now."))})
    (run_id,) = await runner.decide("a", spec=SPEC)

    statuses = []
    for _ in range(3):
        await runner.execution.run(await runner.claim(run_id, SPEC))
        run = await runner.run_of(run_id)
        statuses.append(run["status"])
        await runner.store.release([(run_id, run["changed_at"])])

    assert statuses == ["queued", "queued", "failed"]
    assert await runner.store.claim([run_id], "runner-2", LEASE_SECONDS) == []


async def test_a_run_whose_agent_was_switched_off_meanwhile_calls_nothing(mongo: Mongo) -> None:
    runner = Runner(mongo, Publisher(), {"test": failing(AssertionError("it was called"))})
    (run_id,) = await runner.decide("a", spec=SPEC)
    runner.configuration.put_binding(Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", enabled=False))

    await runner.execution.run(await runner.claim(run_id, SPEC))

    run = await runner.run_of(run_id)
    assert (run["status"], run["error"]["code"]) == ("cancelled", "agent_disabled")


async def test_an_attempt_that_was_overtaken_changes_nothing(mongo: Mongo) -> None:
    runner = Runner(mongo, Publisher(), {"test": succeeding})
    (run_id,) = await runner.decide("a", spec=SPEC)
    claimed = await runner.claim(run_id, SPEC)
    await mongo.database["runs"].update_one({"_id": run_id}, {"$set": {"attempt": 2, "owner": "runner-2"}})
    before = await runner.run_of(run_id)

    await runner.execution.run(claimed)

    assert await runner.run_of(run_id) == before
    assert await mongo.database["proposals"].count_documents({}) == 0


async def test_many_that_end_at_once_all_end(client: Client, mongo: Mongo, publisher: Publisher) -> None:
    runner = Runner(mongo, publisher, {"test": succeeding})
    ids = await runner.decide(*(str(number) for number in range(40)), spec=SPEC)
    claims = [await runner.claim(run_id, SPEC) for run_id in ids]

    await asyncio.gather(*(runner.execution.run(claimed) for claimed in claims))

    assert {(await runner.run_of(run_id))["status"] for run_id in ids} == {"completed"}
    assert await mongo.database["proposals"].count_documents({}) == 40
    assert await mongo.database["runs"].count_documents({"sweep_at": {"$exists": True}}) == 0
