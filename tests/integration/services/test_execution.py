"""One attempt from its claim to its end: whatever a handler does, the run ends in a way that says so."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest
from nats.aio.client import Client
from structlog.testing import capture_logs

from contracts.agents import AgentSpec, BindingLimits, ModelTier, Scope
from contracts.operation import LoggingLevel
from contracts.registry import parse_json
from contracts.streams import RUN_EVENTS
from services.runner.agents.limits import check_model_call
from services.runner.work import Attempt, Handler
from shared.clock import utc_now
from shared.domain.binding import Binding, ScopeRef
from shared.domain.run import Done, Usage
from shared.errors import LimitReached, Permanent, Retryable
from shared.least_level import drop_below_least
from shared.llm.errors import ModelAnswerCut, ModelRateLimited, ModelUnavailable
from shared.llm.port import Usage as ModelUsage
from shared.messaging.publisher import Publisher
from shared.store.bodies import BodyStore
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
        (ModelUnavailable("It hung up.", 30.0), "model_unavailable"),
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
    run = await ended(mongo, failing(ModelUnavailable("It hung up.", 30.0)))

    assert 30 <= (run["waiting_for"]["until"] - run["changed_at"]).total_seconds() <= 30 * 1.25


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
        if run["status"] == "queued":
            await runner.let_go(run_id)

    assert statuses == ["queued", "queued", "failed"]
    assert await runner.store.claim([run_id], "runner-2", LEASE_SECONDS) == []


async def test_having_no_room_is_no_failure_however_often(mongo: Mongo) -> None:
    runner = Runner(mongo, Publisher(), {"test": failing(ModelRateLimited("No room.", 30.0))})
    (run_id,) = await runner.decide("a", spec=SPEC)

    for _ in range(4):
        await runner.execution.run(await runner.claim(run_id, SPEC))
        run = await runner.run_of(run_id)
        await runner.let_go(run_id)

    assert (run["status"], run["attempt"], run["failures"], run["error"]) == ("queued", 4, 0, None)
    assert (run["waiting_for"]["what"], run["waiting_for"]["detail"]) == ("provider", "No room.")
    assert 30 <= (run["waiting_for"]["until"] - run["changed_at"]).total_seconds() <= 30 * 1.25


async def test_a_run_that_meets_its_limit_keeps_what_it_has_produced(mongo: Mongo) -> None:
    run = await ended(mongo, failing(LimitReached("Too many rounds.", {"text": "So far."})))

    assert (run["status"], run["output_json"]) == ("failed", '{"text":"So far."}')


async def test_a_run_that_fails_keeps_what_it_has_produced_by_then(mongo: Mongo) -> None:
    async def half(attempt: Attempt) -> Done:
        attempt.produced["text"] = "So far."
        raise Permanent("Never.")

    run = await ended(mongo, half)

    assert (run["status"], run["output_json"]) == ("failed", '{"text":"So far."}')


async def test_a_run_ends_when_its_time_as_a_whole_is_over_however_much_the_attempt_has(mongo: Mongo) -> None:
    async def endless(attempt: Attempt) -> Done:
        attempt.produced["text"] = "So far."
        await asyncio.Event().wait()
        raise AssertionError("it cannot come here")

    run = await ended(mongo, endless, run_timeout_seconds=1, timeout_seconds=600)

    assert (run["status"], run["error"]["code"], run["failures"]) == ("failed", "run_timed_out", 0)
    assert (run["output_json"], "1 s" in run["error"]["detail"]) == ('{"text":"So far."}', True)


@pytest.mark.parametrize(
    ("limits", "started_seconds_ago", "code"),
    [({"run_timeout_seconds": 60}, 61, "run_timed_out"), ({"queue_timeout_seconds": 60}, 0, "queue_timed_out")],
)
async def test_a_run_whose_time_is_over_when_it_is_claimed_calls_nothing(
    mongo: Mongo, limits: Document, started_seconds_ago: int, code: str
) -> None:
    runner = Runner(mongo, Publisher(), {"test": failing(AssertionError("it was called"))})
    spec = SPEC.model_copy(update=limits)
    (run_id,) = await runner.decide("a", spec=spec)
    long_ago = utc_now() - timedelta(seconds=61)
    changes: Document = {"queued_at": long_ago - timedelta(seconds=60), "queue_expires_at": long_ago}
    if started_seconds_ago:
        changes = {"started_at": utc_now() - timedelta(seconds=started_seconds_ago)}
    await mongo.database["runs"].update_one({"_id": run_id}, {"$set": changes})

    await runner.execution.run(await runner.claim(run_id, spec))

    run = await runner.run_of(run_id)
    assert (run["status"], run["error"]["code"]) == ("failed", code)


async def test_effects_that_cannot_be_stored_fail_their_own_run_alone(mongo: Mongo) -> None:
    async def counting(attempt: Attempt) -> Done:
        count = 2**63 if attempt.event["id"] == "b" else 1
        return Done({"count": count}, (a_memory_effect(proposed_value=count),))

    runner = Runner(mongo, Publisher(), {"test": counting})
    ids = await runner.decide("a", "b", "c", spec=SPEC)
    claims = [await runner.claim(run_id, SPEC) for run_id in ids]

    await asyncio.gather(*(runner.execution.run(claimed) for claimed in claims))

    runs = [await runner.run_of(run_id) for run_id in ids]
    assert [run["status"] for run in runs] == ["completed", "failed", "completed"]
    assert (runs[1]["error"]["code"], runs[1]["output_json"]) == ("output_unstorable", f'{{"count":{2**63}}}')


async def test_a_long_output_is_kept_beside_the_run(mongo: Mongo) -> None:
    async def talking(attempt: Attempt) -> Done:
        return Done({"text": "über " * 10_000})

    run = await ended(mongo, talking)

    assert (run["status"], run["output_json"]) == ("completed", None)
    kept = await BodyStore(mongo.database).get(run["output_ref"])
    assert orjson.loads(kept) == {"text": "über " * 10_000}


async def test_a_paused_agent_has_its_run_wait_and_calls_nothing(mongo: Mongo) -> None:
    runner = Runner(mongo, Publisher(), {"test": failing(AssertionError("it was called"))})
    (run_id,) = await runner.decide("a", spec=SPEC)
    runner.configuration.put_binding(Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", paused=True))

    await runner.execution.run(await runner.claim(run_id, SPEC))

    run = await runner.run_of(run_id)
    assert (run["status"], run["failures"], run["waiting_for"]["what"]) == ("queued", 0, "paused")


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


async def test_the_tier_and_the_limits_of_bindings_are_obeyed_from_the_claim_on(mongo: Mongo) -> None:
    seen: list[AgentSpec] = []

    async def work(attempt: Attempt) -> Done:
        seen.append(attempt.spec)
        attempt.usage = Usage(10, 5, 3)
        check_model_call(attempt)
        raise AssertionError("a run that has made three calls may make no fourth")

    runner = Runner(mongo, Publisher(), {"test": work})
    (run_id,) = await runner.decide("a", spec=SPEC)
    limits = BindingLimits(request_limit=3, total_tokens_limit=1_000, timeout_seconds=7)
    here = ScopeRef(Scope.USER, "ada")
    runner.configuration.put_binding(Binding("acme", here, "noter", model=ModelTier.REASONING, limits=limits))

    await runner.execution.run(await runner.claim(run_id, SPEC))

    (spec,) = seen
    assert (spec.model.tier, spec.timeout_seconds, spec.limits.total_tokens_limit) == (ModelTier.REASONING, 7, 1_000)
    error = (await runner.run_of(run_id))["error"]
    assert error["code"] == "request_limit_reached"
    assert "limits.request_limit of the binding of user ada is 3" in error["detail"]


async def test_the_delay_is_at_least_the_agents_own(mongo: Mongo) -> None:
    run = await ended(mongo, failing(Retryable("Not now.")), retry_delay_seconds=120)

    assert 120 <= (run["waiting_for"]["until"] - run["changed_at"]).total_seconds() <= 120 * 1.25


@pytest.mark.parametrize(("level", "is_said"), [(LoggingLevel.INFO, True), (LoggingLevel.WARNING, False)])
async def test_what_is_said_of_a_run_is_what_its_agent_wants(mongo: Mongo, level: LoggingLevel, is_said: bool) -> None:
    with capture_logs(processors=[drop_below_least]) as lines:
        await ended(mongo, succeeding, logging_level=level)

    assert ("run.completed" in {line["event"] for line in lines}) is is_said
