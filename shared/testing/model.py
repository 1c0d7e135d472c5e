"""A model that says what a test wrote down for it."""

import asyncio
from dataclasses import dataclass

from shared.errors import AppError
from shared.llm.errors import ModelAnswerCut, ModelRefused, ModelTimedOut
from shared.llm.port import Background, ModelRequest, ModelResponse, ToolCall, Usage


@dataclass(frozen=True, slots=True)
class Silence:
    """The model does not answer before the time allowed is over."""


Step = str | ModelResponse | ToolCall | AppError | Silence
"""What happens on one call: an answer's text, a whole answer, a tool that is wanted, an error, or nothing in time."""


class ScriptedModel:
    """Plays its steps in order, one per call, and keeps the requests.

    A call after the last step fails at once, and again in `assert_finished`, because the code under test may have
    caught the first failure. A background response that is asked for again plays its own step again and is no call;
    `retrieved` and `cancelled` hold the ids that were asked for again and those that were to be cancelled.
    """

    def __init__(self, *steps: Step) -> None:
        self.requests: list[ModelRequest] = []
        self.retrieved: list[str] = []
        self.cancelled: list[str] = []
        self._steps = steps
        self._kept: dict[str, Step] = {}

    async def respond(
        self, request: ModelRequest, timeout_seconds: float, background: Background | None = None
    ) -> ModelResponse:
        """Play the next step, or the step of the response that is asked for again."""
        if background is not None and background.response_id in self._kept:
            self.retrieved.append(background.response_id)
            return await self._play(background.response_id, request, timeout_seconds)
        response_id, step = self._next(request)
        if background is not None and _begins(step):
            self._kept[response_id] = step
            await background.on_started(response_id)
            return await self._play(response_id, request, timeout_seconds)
        return await _said(step, response_id, request, timeout_seconds)

    async def cancel(self, response_id: str, timeout_seconds: float) -> Usage | None:  # noqa: ARG002 - the port's
        """Forget a silent response; one that says something had said it before."""
        self.cancelled.append(response_id)
        match self._kept.get(response_id):
            case Silence():
                del self._kept[response_id]
            case ModelResponse(usage=usage) | ModelRefused(usage=usage) | ModelAnswerCut(usage=usage):
                return usage
            case str(text):
                return _usage("", text)
        return None

    async def close(self) -> None:
        """Nothing is open."""

    def assert_finished(self) -> None:
        """Fail unless every step was played, and none was missing."""
        if len(self.requests) != len(self._steps):
            raise AssertionError(f"{len(self.requests)} calls, but the script has {self._length}")

    def _next(self, request: ModelRequest) -> tuple[str, Step]:
        self.requests.append(request)
        number = len(self.requests)
        if number > len(self._steps):
            raise AssertionError(f"call {number} of model '{request.model}', but the script has {self._length}")
        step = self._steps[number - 1]
        return step.id if isinstance(step, ModelResponse) else f"resp_scripted_{number}", step

    async def _play(self, response_id: str, request: ModelRequest, timeout_seconds: float) -> ModelResponse:
        try:
            return await _said(self._kept[response_id], response_id, request, timeout_seconds)
        except ModelTimedOut:
            del self._kept[response_id]
            raise

    @property
    def _length(self) -> str:
        return f"{len(self._steps)} step(s)"


def _begins(step: Step) -> bool:
    """Tell whether the provider would have started a response before this happened."""
    return not isinstance(step, AppError) or isinstance(step, ModelRefused | ModelAnswerCut)


async def _said(step: Step, response_id: str, request: ModelRequest, timeout_seconds: float) -> ModelResponse:
    match step:
        case str(text):
            return ModelResponse(response_id, request.model, text, _usage(str(request.input), text))
        case ToolCall(arguments=arguments) as call:
            usage = _usage(str(request.input), arguments)
            return ModelResponse(response_id, request.model, "", usage, tool_calls=(call,))
        case Silence():
            await asyncio.sleep(timeout_seconds)
            raise ModelTimedOut(f"Model '{request.model}' is scripted to be silent.", model=request.model)
        case ModelResponse() as response:
            return response
        case error:
            raise error


def _usage(asked: str, said: str) -> Usage:
    return Usage(input_tokens=max(len(asked) // 4, 1), output_tokens=max(len(said) // 4, 1))
