"""A model that says what a test wrote down for it."""

import asyncio
from dataclasses import dataclass

from shared.errors import AppError
from shared.llm.errors import ModelTimedOut
from shared.llm.port import ModelRequest, ModelResponse, Usage


@dataclass(frozen=True, slots=True)
class Silence:
    """The model does not answer before the time allowed is over."""


Step = str | ModelResponse | AppError | Silence
"""What happens on one call: an answer's text, a whole answer, an error to raise, or nothing in time."""


class ScriptedModel:
    """Plays its steps in order, one per call, and keeps the requests.

    A call after the last step fails at once, and again in `assert_finished`, because the code under test may have
    caught the first failure.
    """

    def __init__(self, *steps: Step) -> None:
        self.requests: list[ModelRequest] = []
        self._steps = steps

    async def respond(self, request: ModelRequest, timeout_seconds: float) -> ModelResponse:
        """Play the next step."""
        self.requests.append(request)
        number = len(self.requests)
        if number > len(self._steps):
            raise AssertionError(f"call {number} of model '{request.model}', but the script has {self._length}")
        match self._steps[number - 1]:
            case str(text):
                return _answer(text, request, number)
            case Silence():
                await asyncio.sleep(timeout_seconds)
                raise ModelTimedOut(f"Model '{request.model}' is scripted to be silent.", model=request.model)
            case ModelResponse() as response:
                return response
            case error:
                raise error

    async def close(self) -> None:
        """Nothing is open."""

    def assert_finished(self) -> None:
        """Fail unless every step was played, and none was missing."""
        if len(self.requests) != len(self._steps):
            raise AssertionError(f"{len(self.requests)} calls, but the script has {self._length}")

    @property
    def _length(self) -> str:
        return f"{len(self._steps)} step(s)"


def _answer(text: str, request: ModelRequest, number: int) -> ModelResponse:
    return ModelResponse(
        id=f"resp_scripted_{number}",
        model=request.model,
        text=text,
        usage=Usage(input_tokens=max(len(str(request.input)) // 4, 1), output_tokens=max(len(text) // 4, 1)),
    )
