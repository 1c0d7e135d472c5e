"""A run that somebody wants to end, as its runner sees it: the attempt is stopped, and the run ends as cancelled."""

import asyncio

import pytest
from faststream.nats import NatsBroker
from nats.aio.client import Client

from contracts.lanes import Queue
from services.runner.app import subscribe_to_cancels
from services.runner.execution import Claimed
from services.runner.heartbeat import Heartbeat
from services.runner.work import Attempt, Handler
from shared.domain.run import Claim, Done, Usage
from shared.errors import Permanent, Retryable
from shared.messaging.barrier import taken_by_server
from shared.messaging.broker import make_broker
from shared.messaging.cancelling import tell_runners
from shared.messaging.publisher import Publisher
from shared.settings import RunnerSettings
from shared.store.mongo import Mongo
from tests.integration.services.running import OWNER, Runner, Waiting
from tests.integration.store.given import LEASE_SECONDS
from tests.support.processes import eventually
from tests.support.servers import RunningServer
from tests.unit.shared.given import Document, a_memory_effect

MEDIUM = Queue.MEDIUM
SPENT_BEFORE = Usage(10, 5, 1)
SPENT_AFTER = Usage(3, 2, 1)


class Spending(Waiting):
    """A handler whose model call is under way; ending it at the provider costs something, too."""

    def __init__(self) -> None:
        super().__init__()
        self.was_cancelled: bool | None = None

    async def __call__(self, attempt: Attempt) -> Done:
        attempt.usage = SPENT_BEFORE
        try:
            return await super().__call__(attempt)
        except asyncio.CancelledError:
            self.was_cancelled = attempt.is_cancelled
            if attempt.is_cancelled:
                attempt.usage = attempt.usage.plus(SPENT_AFTER)
            raise


async def started(runner: Runner, handler: Waiting, name: str = "a") -> Claimed:
    """Start a run on a slot, and return its claim once its handler is at work."""
    (run_id,) = await runner.decide(name)
    await runner.slots.take(MEDIUM, 1, 1)
    claimed = await runner.claim(run_id)
    runner.executions.start(claimed)
    await eventually(lambda: run_id in handler.under_way)
    return claimed


async def idle(runner: Runner) -> None:
    await eventually(lambda: not runner.executions.claims())
    assert runner.slots.taken == 0


def check_cancelled(run: Document, spent_after: Usage = SPENT_AFTER) -> None:
    assert (run["status"], run["error"]["code"], run["cancel"]["requested_by"]) == ("cancelled", "cancelled", "olga")
    assert run["spent_after_cancel"] == {
        "input_tokens": spent_after.input_tokens,
        "output_tokens": spent_after.output_tokens,
        "model_calls": spent_after.model_calls,
    }
    assert run["finished_at"] >= run["cancel"]["requested_at"]


async def test_a_cancelled_attempt_is_stopped_and_its_run_says_what_it_used_after_that(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    handler = Spending()
    runner = Runner(mongo, publisher, {"test": handler})
    claimed = await started(runner, handler)

    (claim,) = await runner.cancel(claimed.claim.run_id)
    for _ in range(2):
        runner.executions.cancel(claim)

    await idle(runner)
    run = await runner.run_of(claim.run_id)
    check_cancelled(run)
    assert handler.was_cancelled is True
    assert run["usage"]["input_tokens"] == SPENT_BEFORE.input_tokens + SPENT_AFTER.input_tokens
    assert "sweep_at" not in run


async def test_an_attempt_whose_run_was_lost_is_not_a_cancelled_one(mongo: Mongo) -> None:
    handler = Spending()
    runner = Runner(mongo, Publisher(), {"test": handler})
    claimed = await started(runner, handler)

    runner.executions.stop_lost(claimed.claim)

    await idle(runner)
    assert handler.was_cancelled is False
    assert (await runner.run_of(claimed.claim.run_id))["status"] == "running"


async def test_who_is_told_of_another_attempt_goes_on(mongo: Mongo) -> None:
    handler = Spending()
    runner = Runner(mongo, Publisher(), {"test": handler})
    claimed = await started(runner, handler)

    runner.executions.cancel(Claim(claimed.claim.run_id, 2, OWNER))

    assert runner.executions.claims() == [claimed.claim]
    handler.may_end.set()
    await idle(runner)
    assert (await runner.run_of(claimed.claim.run_id))["status"] == "completed"


async def test_the_heartbeat_finds_a_run_that_nobody_told_of(mongo: Mongo) -> None:
    handler = Spending()
    runner = Runner(mongo, Publisher(), {"test": handler})
    claimed, other = await started(runner, handler), await started(runner, handler, "b")
    await runner.cancel(claimed.claim.run_id)

    await Heartbeat(runner.store, OWNER, LEASE_SECONDS, runner.executions).beat()

    await eventually(lambda: runner.executions.claims() == [other.claim])
    check_cancelled(await runner.run_of(claimed.claim.run_id))
    handler.may_end.set()
    await idle(runner)


async def test_a_runner_is_told_over_nats(
    client: Client, mongo: Mongo, publisher: Publisher, nats_server: RunningServer
) -> None:
    handler = Spending()
    runner = Runner(mongo, publisher, {"test": handler})
    claimed = await started(runner, handler)
    broker: NatsBroker = make_broker(RunnerSettings(nats_url=nats_server.url))
    subscribe_to_cancels(broker, OWNER, runner.executions)
    await broker.start()
    await taken_by_server(await broker.connect())

    await tell_runners(publisher, await runner.cancel(claimed.claim.run_id))

    await idle(runner)
    await broker.stop()
    check_cancelled(await runner.run_of(claimed.claim.run_id))


@pytest.mark.parametrize("end", [Done({"x": 1}, (a_memory_effect(),)), Retryable("Not now."), Permanent("Never.")])
async def test_an_attempt_that_ends_before_its_runner_hears_of_it_is_cancelled_whatever_its_end(
    mongo: Mongo, end: Done | Exception
) -> None:
    handlers: dict[str, Handler] = {}
    runner = Runner(mongo, Publisher(), handlers)

    async def handler(attempt: Attempt) -> Done:
        await runner.cancel(attempt.claim.run_id)
        if isinstance(end, Exception):
            raise end
        return end

    handlers["test"] = handler
    (run_id,) = await runner.decide("a")

    await runner.execution.run(await runner.claim(run_id))

    run = await runner.run_of(run_id)
    check_cancelled(run, Usage())
    assert (run["output_json"], run["effects"]) == (None, [])
    assert await mongo.database["proposals"].count_documents({}) == 0


async def test_a_cancel_that_comes_while_the_end_is_written_does_not_stop_the_writing(mongo: Mongo) -> None:
    handlers: dict[str, Handler] = {}
    runner = Runner(mongo, Publisher(), handlers)
    (run_id,) = await runner.decide("a")
    await runner.slots.take(MEDIUM, 1, 1)
    claimed = await runner.claim(run_id)

    async def handler(attempt: Attempt) -> Done:
        (claim,) = await runner.cancel(run_id)
        # When the handler has returned, and before the write has.
        asyncio.get_running_loop().call_soon(runner.executions.cancel, claim)
        return Done({})

    handlers["test"] = handler
    runner.executions.start(claimed)

    await idle(runner)
    check_cancelled(await runner.run_of(run_id), Usage())


async def test_a_run_whose_runner_was_lost_while_it_was_to_end_ends_without_running(mongo: Mongo) -> None:
    handler = Spending()
    runner = Runner(mongo, Publisher(), {"test": handler})
    (run_id,) = await runner.decide("a")
    await runner.claim(run_id)
    await runner.cancel(run_id)
    await runner.store.take_over_from(OWNER, (await runner.run_of(run_id))["changed_at"])
    runner.left_behind = SPENT_AFTER

    await runner.execution.run(await runner.claim(run_id))

    run = await runner.run_of(run_id)
    check_cancelled(run)
    assert (runner.abandoned, handler.under_way) == ([run_id], [])
    assert run["usage"]["input_tokens"] == SPENT_AFTER.input_tokens


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_runner_that_goes_ends_what_it_was_told_to_and_leaves_the_rest_to_others(
    mongo: Mongo, publisher: Publisher, is_told: bool
) -> None:
    handler = Spending()
    runner = Runner(mongo, publisher, {"test": handler})
    claimed = await started(runner, handler)
    (claim,) = await runner.cancel(claimed.claim.run_id)
    if is_told:
        runner.executions.cancel(claim)

    await runner.executions.drain(0)

    run = await runner.run_of(claim.run_id)
    if is_told:
        check_cancelled(run)
    else:
        assert (run["status"], run["cancel"]["requested_by"]) == ("running", "olga")
    assert not runner.executions.claims()
