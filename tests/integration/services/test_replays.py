"""Replays at work: what the runs of one are given, and that nothing they ask for reaches anybody, whatever happens."""

from datetime import timedelta
from typing import Any

from nats.aio.client import Client

from contracts.lanes import Queue
from contracts.streams import RUN_EVENTS
from services.runner.work import Attempt
from shared.clock import utc_now
from shared.domain.replaying import EFFECTS_OFF, NewReplay, replayed_run_id
from shared.domain.run import Done
from shared.errors import Permanent
from shared.messaging.publisher import Publisher
from shared.store.mongo import Mongo
from shared.store.open_runs import Work
from shared.store.replays import ReplayStore
from tests.integration.messaging.looking import count_behind
from tests.integration.services.running import Runner
from tests.integration.services.sweeping import Bench, dispatched
from tests.integration.store.given import expire_lease, run_of
from tests.unit.shared.given import Document, a_memory_effect, triggered

SPEC = triggered("noter", handler="test", max_concurrent_per_target=1)


class Broken(Permanent):
    """What a handler does not get over."""

    code = "broken"


class Reader:
    """A handler that looks at these places, says what it saw, and asks for a change of memory."""

    def __init__(self, *places: str) -> None:
        self.places = places
        self.world: list[str] = []
        self.is_broken = False

    async def __call__(self, attempt: Attempt) -> Done:
        async def look(_: Any) -> Document:
            return {"output": self.world.pop(0)}

        asked = [{"tool": "look", "arguments": {"at": place}} for place in self.places]
        read = [await attempt.steps.step("tool_call", "look", each, look) for each in asked]
        if self.is_broken:
            raise Broken("It broke.")
        return Done({"read": [each["output"] for each in read]}, (a_memory_effect(),))


async def replayed(mongo: Mongo, *originals: str) -> list[str]:
    """Start a replay of these runs on the version that they had, and return its runs."""
    replays = ReplayStore(mongo)
    new = NewReplay("acme", "noter", "noter", 1, "noter:1", None, "request-1", "hash", "olga", utc_now())
    await replays.start(new, SPEC, await replays.originals("acme", "noter", None, None, originals))
    return [replayed_run_id(new.id, original) for original in originals]


async def execute(runner: Runner, run_id: str) -> Document:
    """Let a run go and do one attempt of it, and return it with everything done that follows."""
    await runner.let_go(run_id)
    await runner.execution.run(await runner.claim(run_id, SPEC))
    return await runner.run_of(run_id)


async def original_of(runner: Runner) -> str:
    (original,) = await runner.decide("a", spec=SPEC)
    await runner.execution.run(await runner.claim(original, SPEC))
    await runner.run_of(original)
    return original


async def proposers(mongo: Mongo) -> set[str]:
    return set(await mongo.database["proposals"].distinct("run_id"))


async def test_a_replay_reads_what_its_original_had_read_and_makes_other_reads_afresh(mongo: Mongo) -> None:
    reader = Reader("here", "here")
    reader.world = ["dawn", "noon", "dusk"]
    runner = Runner(mongo, Publisher(), {"test": reader})
    (again,) = await replayed(mongo, await original_of(runner))

    reader.places = ("here", "there", "here")
    run = await execute(runner, again)

    assert (run["status"], run["output_json"]) == ("completed", '{"read":["dawn","dusk","noon"]}')
    assert await ReplayStore(mongo).fresh_reads([again]) == {again: 1}


async def test_the_effects_of_a_replay_are_recorded_and_never_projected_or_told(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    runner = Runner(mongo, publisher, {"test": Reader()})
    original = await original_of(runner)
    (again,) = await replayed(mongo, original)
    told = await count_behind(client, RUN_EVENTS.name, "runevent.x.x.x.before")

    run = await execute(runner, again)
    # As if a crash had come between the end and what follows from it.
    await mongo.database["runs"].update_one({"_id": again}, {"$set": {"sweep_at": run["finished_at"]}})
    await Bench(mongo, publisher, client).sweep_runs(timedelta(minutes=1))

    assert [effect["dropped"] for effect in run["effects"]] == [EFFECTS_OFF]
    assert "sweep_at" not in await run_of(mongo, again)
    assert await proposers(mongo) == {original}
    # All that is new is what was told before it.
    assert await count_behind(client, RUN_EVENTS.name, "runevent.x.x.x.after") == told + 1


async def test_a_replay_that_fails_is_no_dead_letter_and_driven_again_still_proposes_nothing(
    mongo: Mongo, publisher: Publisher
) -> None:
    reader = Reader()
    runner = Runner(mongo, publisher, {"test": reader})
    original = await original_of(runner)
    (again,) = await replayed(mongo, original)

    reader.is_broken = True
    failed = await execute(runner, again)
    reader.is_broken = False
    await runner.store.redrive([again], utc_now())
    redriven = await execute(runner, again)

    assert (failed["status"], failed["error"]["code"], redriven["status"]) == ("failed", "broken", "completed")
    assert await mongo.database["dead_letters"].count_documents({}) == 0
    assert await proposers(mongo) == {original}


async def test_a_replay_whose_runner_was_lost_is_taken_over(client: Client, mongo: Mongo, publisher: Publisher) -> None:
    reader = Reader("here", "here")
    reader.world = ["dawn", "noon"]
    runner = Runner(mongo, publisher, {"test": reader})
    (again,) = await replayed(mongo, await original_of(runner))
    await runner.let_go(again)
    lost = await runner.claim(again, SPEC)
    await expire_lease(mongo, again)

    await Bench(mongo, publisher, client).sweep_runs()
    await runner.execution.run(lost)
    await runner.execution.run(await runner.claim(again, SPEC))

    run = await runner.run_of(again)
    assert (run["status"], run["attempt"], run["output_json"]) == ("completed", 2, '{"read":["dawn","noon"]}')


async def test_replays_go_by_the_low_lane_without_a_place_on_their_target_and_hold_up_no_fire(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    runner = Runner(mongo, publisher, {"test": Reader()})
    again = await replayed(mongo, await original_of(runner))
    bench = Bench(mongo, publisher, client)

    await bench.sweep_runs()

    assert await dispatched(client, 1, Queue.EXPRESS_LOW) == again
    assert await bench.holders() == {"organisation": set(again)}
    assert await runner.store.open_of({Work("acme", "apollo", "ada", "noter")}) == {}
