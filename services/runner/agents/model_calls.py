"""Model calls as steps: paid for once, found again at the provider, and ended there when nobody wants them any more."""

import asyncio
from dataclasses import asdict, dataclass, replace
from typing import Any

from contracts.agents import CallMode
from services.runner.abandon import give_up
from services.runner.agents.limits import check_model_call
from services.runner.recorder import Step
from services.runner.work import Attempt
from shared.domain.run import Usage
from shared.errors import AppError
from shared.llm.port import Background, ModelClient, ModelRequest, ModelResponse, ToolCall

_RESPONSE_ID = "response_id"


@dataclass(frozen=True, slots=True)
class Said:
    """What the model said, and the tools that it wants called before it goes on."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelCalls:
    """Makes model calls of attempts. `timeout_seconds` and `mode` are for those of whom nobody says otherwise."""

    model: ModelClient
    timeout_seconds: float
    mode: CallMode

    async def make(self, attempt: Attempt, request: ModelRequest) -> Said:
        """Return what the model says, or said to an earlier attempt, and count it. Raises its errors and the limits'."""
        check_model_call(attempt)
        result = await attempt.steps.step(
            "model_call", request.model, _compared(request), lambda step: self._call(attempt, request, step)
        )
        usage = result["usage"]
        attempt.usage = attempt.usage.plus(Usage(usage["input_tokens"], usage["output_tokens"], 1))
        if result["text"]:
            attempt.produced["text"] = result["text"]
        return Said(result["text"], tuple(ToolCall(**call) for call in result.get("tool_calls", ())))

    async def _call(self, attempt: Attempt, request: ModelRequest, step: Step) -> dict[str, Any]:
        flight = _Flight(step, step.earlier.get(_RESPONSE_ID))
        named = {**request.metadata, "step": f"{attempt.claim.run_id}:{step.index}"}
        try:
            response = await self.model.respond(
                replace(request, metadata=named),
                attempt.spec.call_timeout_seconds or self.timeout_seconds,
                Background(flight.response_id, flight.on_started) if self._is_kept(attempt, flight) else None,
            )
        except asyncio.CancelledError:
            if attempt.is_cancelled:
                await self._give_up(attempt, flight)
            raise
        except AppError as error:
            await flight.on_failed(error)
            raise
        return _result(response)

    def _is_kept(self, attempt: Attempt, flight: "_Flight") -> bool:
        """Whether the provider keeps the response; one that it keeps already is looked for in any case."""
        mode = attempt.call_mode or attempt.spec.model.mode or self.mode
        return mode is CallMode.BACKGROUND or flight.response_id is not None

    async def _give_up(self, attempt: Attempt, flight: "_Flight") -> None:
        if flight.response_id is not None:
            used = await asyncio.shield(asyncio.create_task(give_up(self.model, flight.response_id)))
            attempt.usage = attempt.usage.plus(used)


@dataclass(slots=True)
class _Flight:
    """A call under way, and the response that the provider keeps for it."""

    step: Step
    response_id: str | None

    async def on_started(self, response_id: str) -> None:
        self.response_id = response_id
        await self.step.note({_RESPONSE_ID: response_id})

    async def on_failed(self, error: AppError) -> None:
        """Forget a response that has failed itself: looked for again, it would only fail again."""
        if self.response_id is not None and error.facts.get(_RESPONSE_ID) == self.response_id:
            await self.step.note({_RESPONSE_ID: None})


def _compared(request: ModelRequest) -> dict[str, Any]:
    """Return what makes a call the same call; the attempt's number, in the metadata, does not."""
    asked = request.input if isinstance(request.input, str) else [asdict(turn) for turn in request.input]
    compared: dict[str, Any] = {"model": request.model, "instructions": request.instructions, "input": asked}
    return {**compared, "tools": [asdict(tool) for tool in request.tools]} if request.tools else compared


def _result(response: ModelResponse) -> dict[str, Any]:
    result: dict[str, Any] = {"response_id": response.id, "text": response.text, "usage": asdict(response.usage)}
    if response.tool_calls:
        result["tool_calls"] = [asdict(call) for call in response.tool_calls]
    return result
