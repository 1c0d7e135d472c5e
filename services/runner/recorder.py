"""Steps of one attempt: a call that an earlier attempt has finished is read from the record instead of made again."""

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any

import orjson

from shared.clock import Clock
from shared.domain.run import Claim
from shared.errors import Permanent
from shared.store.mongo import Document
from shared.store.steps import StepStore


class StepLost(Permanent):
    """Another attempt has taken this step over, so this one must not go on."""

    code = "step_lost"


class StepRecorder:
    """Numbers the steps of an attempt from 0, in the order in which they are made."""

    def __init__(self, steps: StepStore, claim: Claim, clock: Clock) -> None:
        self._steps = steps
        self._claim = claim
        self._clock = clock
        self._next = 0
        self._finished: dict[int, Document] | None = None

    async def step(
        self, kind: str, request: dict[str, Any], call: Callable[[], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Return what the call gives, or gave when an earlier attempt made the same one.

        The intent is recorded before the call and the result after it. A call that raises leaves its intent, and is
        made again by the next attempt.
        """
        index, self._next = self._next, self._next + 1
        request_hash = blake2b(orjson.dumps(request, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
        recorded = await self._recorded(index, request_hash)
        if recorded is not None:
            return recorded
        if not await self._steps.intend(self._claim, index, kind, request_hash, self._clock()):
            return await self._finished_meanwhile(index, request_hash)
        result = await call()
        outcome = {"result_json": orjson.dumps(result).decode()}
        if not await self._steps.finish(self._claim, index, self._clock(), outcome):
            raise self._lost(index)
        return result

    async def _recorded(self, index: int, request_hash: str) -> dict[str, Any] | None:
        step = (await self._earlier()).get(index)
        if step is None or step["request_hash"] != request_hash:
            return None
        result: dict[str, Any] = orjson.loads(step["result_json"])
        return result

    async def _finished_meanwhile(self, index: int, request_hash: str) -> dict[str, Any]:
        """Return what an earlier attempt, still at work though its claim is lost, was just in time to record."""
        self._finished = None
        recorded = await self._recorded(index, request_hash)
        if recorded is None:
            raise self._lost(index)
        return recorded

    async def _earlier(self) -> dict[int, Document]:
        """Read the record once, and not at all in a first attempt, which can have none."""
        if self._finished is None:
            recorded = await self._steps.of_run(self._claim.run_id) if self._claim.attempt > 1 else []
            self._finished = {step["index"]: step for step in recorded if step["finished_at"] is not None}
        return self._finished

    def _lost(self, index: int) -> StepLost:
        return StepLost(f"Step {index} of {self._claim.run_id} belongs to a later attempt than {self._claim.attempt}.")
