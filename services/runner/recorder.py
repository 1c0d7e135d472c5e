"""Steps of one attempt: a call that an earlier attempt has finished is read from the record instead of made again."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from shared.clock import Clock
from shared.domain.run import Claim
from shared.domain.step import hash_of_request
from shared.errors import AppError, NotNow, Permanent, StorageUnavailable
from shared.store.mongo import Document
from shared.store.steps import Intent, StepStore

log = structlog.get_logger()

_RETRY_SECONDS = 0.5


class StepLost(Permanent):
    """Another attempt has taken this step over, so this one must not go on."""

    code = "step_lost"


class StepsRefused(Permanent):
    """Somebody wants the run to end, so this attempt may make no more calls."""

    code = "steps_refused"


class Step:
    """A call under way. `earlier` is what an earlier attempt noted of the very same call before it was interrupted."""

    def __init__(self, index: int, earlier: Mapping[str, Any], recorder: "StepRecorder") -> None:
        self.index = index
        self.earlier = earlier
        self._facts = dict(earlier)
        self._recorder = recorder

    async def note(self, facts: Mapping[str, Any]) -> None:
        """Record facts that the next attempt needs should this one be interrupted; raises StepLost when it came first."""
        self._facts |= facts
        await self._recorder.note(self.index, self._facts)

    async def fail(self, error: AppError) -> None:
        """Show with the step why its call failed. What the call raises is shown without this."""
        await self._recorder.fail(self.index, error)


Call = Callable[[Step], Awaitable[dict[str, Any]]]
InsteadOf = Callable[[str, str, str, Call], Call]
"""Which call is made instead of one, by its kind, its name, and the hash of what is asked."""


@dataclass(slots=True)
class StepRecorder:
    """Numbers the steps of an attempt from 0, in the order in which they are asked for."""

    steps: StepStore
    claim: Claim
    clock: Clock
    is_closed: bool = False
    """No further call is made."""
    instead_of: InsteadOf | None = None
    """For a replay, which is given what its original had read."""
    _next: int = 0
    _earlier: dict[int, Document] | None = field(default=None, repr=False)

    def step(self, kind: str, name: str, request: dict[str, Any], call: Call) -> Coroutine[Any, Any, dict[str, Any]]:
        """Return what the call gives, or gave when an earlier attempt made the same one.

        The number is taken before anything is awaited, so steps may go on together and are still numbered the same in
        every attempt. The intent is recorded before the call and the result after it. A call that raises leaves its
        intent and its error, and is made again by the next attempt.
        """
        index, self._next = self._next, self._next + 1
        request_hash = hash_of_request(request)
        if self.instead_of is not None:
            call = self.instead_of(kind, name, request_hash, call)
        return self._step(index, kind, name, request_hash, call)

    def number_from(self, index: int) -> None:
        """Give the next steps numbers from this one on, or where the last one ended if that is later.

        Parts of the work that have places of their own keep them, whatever the parts before do in another attempt.
        """
        self._next = max(self._next, index)

    async def note(self, index: int, facts: Mapping[str, Any]) -> None:
        """Record all that is known of a step under way."""
        if not await self._kept(lambda: self.steps.note(self.claim, index, facts)):
            raise self._lost(index)

    async def fail(self, index: int, error: AppError) -> None:
        """Record why a call failed, if MongoDB takes it: the error itself matters more."""
        try:
            await self.steps.fail(self.claim, index, error.code, error.message, self.clock())
        except StorageUnavailable as unavailable:
            log.warning("step.record_lost", run_id=self.claim.run_id, index=index, error=unavailable.message)

    async def _step(self, index: int, kind: str, name: str, request_hash: str, call: Call) -> dict[str, Any]:
        recorded = await self._recorded(index, request_hash)
        if recorded is not None:
            return recorded
        if self.is_closed:
            raise StepsRefused(f"{self.claim.run_id} is to end, so its step {index} ({kind} {name}) is not made.")
        earlier = await self.steps.intend(Intent(self.claim, index, kind, name, request_hash, self.clock()))
        if earlier is None:
            return await self._finished_meanwhile(index, request_hash)
        result = await self._called(Step(index, earlier, self), call)
        finished_at = self.clock()
        if not await self._kept(lambda: self.steps.finish(self.claim, index, finished_at, result)):
            raise self._lost(index)
        return result

    async def _called(self, step: Step, call: Call) -> dict[str, Any]:
        try:
            return await call(step)
        except (StepLost, StorageUnavailable, NotNow):
            raise
        except AppError as error:
            await self.fail(step.index, error)
            raise

    async def _kept(self, write: Callable[[], Awaitable[bool]]) -> bool:
        """Write what was paid for; while MongoDB is away, keep trying for as long as the attempt may take."""
        while True:
            try:
                return await write()
            except StorageUnavailable as error:
                log.warning("step.record_delayed", run_id=self.claim.run_id, error=error.message)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _recorded(self, index: int, request_hash: str) -> dict[str, Any] | None:
        step = (await self._finished()).get(index)
        if step is None or step["request_hash"] != request_hash:
            return None
        return await self.steps.result_of(step)

    async def _finished_meanwhile(self, index: int, request_hash: str) -> dict[str, Any]:
        """Return what an earlier attempt, still at work though its claim is lost, was just in time to record."""
        self._earlier = None
        recorded = await self._recorded(index, request_hash)
        if recorded is None:
            raise self._lost(index)
        return recorded

    async def _finished(self) -> dict[int, Document]:
        """Read the record once, and not at all in a first attempt, which can have none."""
        if self._earlier is None:
            recorded = await self.steps.of_run(self.claim.run_id) if self.claim.attempt > 1 else []
            self._earlier = {step["index"]: step for step in recorded if step["finished_at"] is not None}
        return self._earlier

    def _lost(self, index: int) -> StepLost:
        return StepLost(f"Step {index} of {self.claim.run_id} belongs to a later attempt than {self.claim.attempt}.")
