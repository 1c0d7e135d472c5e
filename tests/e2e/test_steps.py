"""Runs of many model calls whose runner is killed during each of them and after each of them: nothing is paid twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from contracts.agents import AgentSpec, CallMode
from contracts.ids import event_key, run_id
from infra.local.parts import Part, towpath
from infra.local.settings import LocalSettings
from tests.support.agents import publish_agents
from tests.support.aimock import Aimock, fresh_aimock
from tests.support.duration import LONG, only_when_long
from tests.support.events import SOURCE, event
from tests.support.gate import Gate, gate_before
from tests.support.invariants import check_invariants
from tests.support.platform import Platform, running_platform

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("heavy"),
    pytest.mark.timeout(400),
]

Document = dict[str, Any]

LOSSES = 10
CALLS = LOSSES + 1
"""The runner is lost during and after each call but the last: when that one is recorded, the run is over, too."""
LATENCY_MS = 200
MOST_LOSSES = 5
RUNNERS = MOST_LOSSES + 1
STARTED_BY = "job.started"
JOB = {"job_id": "export", "session_id": "chat-7", "kind": "build"}
ASKER = "asker"


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a run: during one of its model calls, or after it and before the next one is recorded."""

    call: int
    is_after: bool


EVERY_MOMENT = [Moment(call, is_after) for call in range(LOSSES) for is_after in (False, True)]
# The short form loses as many runners as one run may lose.
MOMENTS = EVERY_MOMENT if LONG else EVERY_MOMENT[:: len(EVERY_MOMENT) // MOST_LOSSES + 1] + EVERY_MOMENT[-1:]


def an_asker(mode: CallMode) -> AgentSpec:
    return AgentSpec.model_validate(
        {
            "key": ASKER,
            "name": "Asker",
            "instructions": "Look ten times, then answer.",
            "model": {"mode": mode},
            "tools": ["read_memory"],
            "triggers": [{"event": STARTED_BY, "target": {"type": "job", "id": "{id}"}}],
        }
    )


def slow_model(settings: LocalSettings) -> Sequence[Part]:
    """Return the parts of the product with a model that takes its time."""
    latency = ("--latency-ms", str(LATENCY_MS))
    return [
        replace(part, command=(*part.command, *latency)) if part.role == "offline-model" else part
        for part in towpath(settings)
    ]


@pytest_asyncio.fixture(loop_scope="session")
async def background_platform(server_folder: Path) -> AsyncIterator[Platform]:
    """Yield a platform with an Agent that calls the offline model in the background."""
    async with running_platform(server_folder, layout=slow_model, runners=RUNNERS) as platform:
        await publish_agents(platform, an_asker(CallMode.BACKGROUND))
        yield platform


@pytest_asyncio.fixture(loop_scope="session")
async def aimock(aimock_url: str) -> AsyncIterator[Aimock]:
    async with fresh_aimock(aimock_url) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def gate(aimock: Aimock) -> AsyncIterator[Gate]:
    async with gate_before(aimock.url) as gate:
        yield gate


@pytest_asyncio.fixture(loop_scope="session")
async def plain_platform(server_folder: Path, gate: Gate) -> AsyncIterator[Platform]:
    """Yield a platform with an Agent that makes plain calls of a provider that others wrote."""
    async with running_platform(server_folder, {"OPENAI_BASE_URL": f"{gate.url}/v1"}, runners=RUNNERS) as platform:
        await publish_agents(platform, an_asker(CallMode.PLAIN))
        yield platform


@dataclass(slots=True)
class Killed:
    """One run, followed from kill to kill. `moments` are those at which it lost its runner."""

    platform: Platform
    run_id: str
    runners: list[str] = field(default_factory=list)
    moments: set[Moment] = field(default_factory=set)

    @property
    def losses(self) -> int:
        return len(self.runners)

    async def kill_at(self, moment: Moment) -> None:
        """Kill the runner when it has come to this moment, unless the moment is missed."""
        async with asyncio.timeout(120):
            is_met = await (self._meets_after(moment.call) if moment.is_after else self._meets_during(moment.call))
        if is_met:
            self.moments.add(moment)
            self.runners.append(self._owner())
            await self.platform.stack.kill(self.runners[-1])

    async def _meets_during(self, call: int) -> bool:
        """Wait until the provider works on the call and the runner waits."""
        while not self._is_finished(call):
            if await self._is_waited_for(call):
                return True
            await asyncio.sleep(0.005)
        return False

    async def _is_waited_for(self, call: int) -> bool:
        step = self._step(call)
        if not step.get("facts") or step["attempt"] != self._under_way():
            return False
        calls = await self.platform.model.calls(self.run_id)
        return any(each["metadata"]["step"] == step["_id"] and each["status"] == "running" for each in calls)

    async def _meets_after(self, call: int) -> bool:
        """Freeze the runner when it has recorded the call."""
        while True:
            while not (self._is_finished(call) and self._under_way()):
                if self._is_over():
                    return False
                # There is little time between the end of a call and the next one, but much until a runner takes over.
                await asyncio.sleep(0 if self._under_way() else 0.02)
            runner = self._owner()
            self.platform.freeze(runner)
            # Where it stands now: at the tool, or in the next call. Of a response that is started and not noted yet
            # nobody can know, so that a runner is not killed there.
            following = self._step(call + 1)
            if not following:
                return True
            self.platform.thaw(runner)
            if self._is_finished(call + 1) or following.get("facts"):
                return False

    def _under_way(self) -> int:
        """Return the number of the attempt that runs now, 0 when its runner is killed already."""
        run = self._run()
        return run["attempt"] if run["status"] == "running" and run["attempt"] > self.losses else 0

    def _is_over(self) -> bool:
        return self._run()["status"] in ("completed", "failed", "cancelled")

    def _is_finished(self, call: int) -> bool:
        return self._step(call).get("finished_at") is not None

    def _run(self) -> Document:
        return self.platform.database["runs"].find_one({"_id": self.run_id}) or {"status": "unknown"}

    def _step(self, call: int) -> Document:
        # Between two model calls there is a call of a tool.
        return self.platform.database["steps"].find_one({"_id": f"{self.run_id}:{2 * call}"}) or {}

    def _owner(self) -> str:
        return self.platform.name_of(self._run()["owner"])


MOST_FRUITLESS = 5


@dataclass(slots=True)
class Losing:
    """Starts runs until they have lost their runners at each of the moments."""

    platform: Platform
    organisation: str
    moments: list[Moment]

    async def runs(self, prepare: Callable[[str], Awaitable[None]]) -> AsyncIterator[Document]:
        """Yield each run when it is completed. `prepare` is called with its id before it begins."""
        left, gone, fruitless = self.moments, list[str](), 0
        while left:
            await asyncio.gather(*(self.platform.stack.start(runner) for runner in gone))
            killed = Killed(self.platform, await self._begin(prepare))
            for moment in left:
                if killed.losses < MOST_LOSSES:
                    await killed.kill_at(moment)
            # A moment may be missed, and comes again in the next run.
            fruitless = 0 if killed.moments else fruitless + 1
            assert fruitless < MOST_FRUITLESS
            left = [moment for moment in left if moment not in killed.moments]
            run = await self.platform.caller(self.organisation).run_that_is(killed.run_id, "completed", 60)
            assert (run["error"], run["attempt"], run["usage"]["model_calls"]) == (None, killed.losses + 1, CALLS)
            gone = killed.runners
            yield run
        await self.platform.settled()
        check_invariants(self.platform.database)

    async def _begin(self, prepare: Callable[[str], Awaitable[None]]) -> str:
        asked = event(STARTED_BY, self.organisation, JOB)
        id_ = run_id(event_key(self.organisation, SOURCE, asked["id"]), ASKER, "job", asked["id"])
        await prepare(id_)
        answer = await self.platform.caller(self.organisation).publish(asked)
        assert [run["id"] for run in answer.body["agent_runs"]] == [id_], answer
        return id_


def model_steps(run: Document) -> list[Document]:
    return [step for step in run["steps"] if step["kind"] == "model_call"]


async def test_in_the_background_neither_a_finished_call_nor_one_in_flight_is_paid_for_twice(
    background_platform: Platform, organisation: str
) -> None:
    platform = background_platform

    async def script(run_id: str) -> None:
        wanted = {"kind": "tool_call", "code": "read_memory", "arguments": {"label": None}}
        # The first that matches counts, and the last step's id begins like that of another.
        answered = {"kind": "slow", "seconds": 0, "match": f"{run_id}:{2 * LOSSES}", "times": MOST_LOSSES + 1}
        await platform.model.have_faults(
            answered,
            *({**wanted, "match": f"{run_id}:{2 * call}", "times": MOST_LOSSES + 1} for call in range(LOSSES)),
        )

    async for run in Losing(platform, organisation, MOMENTS).runs(script):
        calls = await platform.model.calls(run["id"])
        assert [call["metadata"]["step"] for call in calls] == [f"{run['id']}:{2 * call}" for call in range(CALLS)]
        assert [step["result"]["response_id"] for step in model_steps(run)] == [call["id"] for call in calls]
        assert {call["status"] for call in calls} == {"completed"}


@only_when_long
async def test_with_plain_calls_a_finished_call_is_paid_for_once_says_a_provider_that_others_wrote(
    plain_platform: Platform, aimock: Aimock, gate: Gate, organisation: str
) -> None:
    platform, caller = plain_platform, plain_platform.caller(organisation)
    await aimock.will(*(_turn(call) for call in range(CALLS)))

    seen = 0
    for finished in (range(1, CALLS, 2), range(2, CALLS, 2)) if LONG else (range(1, CALLS, 2),):
        gate.hold(finished[0])
        asked = event(STARTED_BY, organisation, JOB)
        id_ = await caller.start_run(asked)
        lost = [
            await _killed_before_the_next_call(platform, gate, id_, following) for following in [*finished[1:], None]
        ]
        run = await caller.run_that_is(id_, "completed", 60)
        await asyncio.gather(*(platform.stack.start(runner) for runner in lost))

        calls = (await aimock.calls())[seen:]
        seen += len(calls)
        assert (run["error"], run["attempt"], run["usage"]["model_calls"]) == (None, len(lost) + 1, CALLS)
        assert [_turns_before(call) for call in calls] == list(range(CALLS))


async def _killed_before_the_next_call(platform: Platform, gate: Gate, run_id: str, following: int | None) -> str:
    """Kill the runner when its next call has come to the gate; return its name."""
    async with asyncio.timeout(60):
        await gate.has_come.wait()
    run = platform.database["runs"].find_one({"_id": run_id})
    assert run is not None
    runner = platform.name_of(run["owner"])
    await platform.stack.kill(runner)
    gate.drop()
    if following is not None:
        gate.hold(following)
    return runner


def _turn(call: int) -> Document:
    wanted = {"toolCalls": [{"id": f"call_{call}", "name": "read_memory", "arguments": '{"label": null}'}]}
    said = wanted if call < CALLS - 1 else {"content": "All is well."}
    return {"match": {"userMessage": STARTED_BY, "turnIndex": call}, "response": said}


def _turns_before(call: Document) -> int:
    return sum(message["role"] == "assistant" for message in call["body"]["messages"])
