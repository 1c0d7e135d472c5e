"""Ending what goes on at the provider for runs that nobody wants any more."""

import asyncio
from dataclasses import dataclass

import structlog

from shared.domain.run import Usage
from shared.errors import AppError
from shared.llm.port import ModelClient
from shared.store.mongo import Document
from shared.store.steps import StepStore

log = structlog.get_logger()

_PATIENCE_SECONDS = 2.0
_MODEL_CALL = "model_call"
_PAID = frozenset({_MODEL_CALL, "embedding", "tool_call"})


async def give_up(model: ModelClient, response_id: str) -> Usage:
    """Have the provider end a response and return what it had used; a provider that does not is left alone."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            used = await model.cancel(response_id, _PATIENCE_SECONDS)
    except (AppError, TimeoutError) as error:
        log.warning("response.cancel_failed", response_id=response_id, error=str(error))
        used = None
    return Usage(model_calls=1) if used is None else Usage(used.input_tokens, used.output_tokens, 1)


@dataclass(frozen=True, slots=True)
class Abandonment:
    """Ends what the attempts of a run have left open at the provider. Doing it again changes nothing."""

    steps: StepStore
    model: ModelClient

    async def __call__(self, run_id: str) -> Usage:
        """Return what the calls of the whole run have used, with those that are ended here."""
        steps = [step for step in await self.steps.of_run(run_id) if step["kind"] in _PAID]
        total = Usage()
        for used in await asyncio.gather(*(self._used(step) for step in steps)):
            total = total.plus(used)
        return total

    async def _used(self, step: Document) -> Usage:
        if step["finished_at"] is not None:
            usage = (await self.steps.result_of(step)).get("usage", {})
            return Usage(usage.get("input_tokens", 0), usage.get("output_tokens", 0), int(step["kind"] == _MODEL_CALL))
        response_id = step.get("facts", {}).get("response_id")
        return Usage() if response_id is None else await give_up(self.model, response_id)
