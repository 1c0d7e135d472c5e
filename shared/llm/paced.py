"""A model that keeps to its provider's limits, which it shares with all other runners."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.domain.rate import Busy, Go
from shared.llm.errors import ModelAnswerCut, ModelLaneBusy, ModelRateLimited, ModelRefused
from shared.llm.port import Background, Embedder, Embeddings, ModelClient, ModelRequest, ModelResponse, Usage

_PATIENCE_SECONDS = 1.0
_BYTES_PER_TOKEN = 4


class Lanes(Protocol):
    """Where the limits are kept. A lane is an endpoint's model."""

    async def reserve(self, name: str, tokens: int, patience_seconds: float) -> Go | Busy:
        """Take the room for a call of about so many tokens, or say for how long there is none."""
        ...

    def give_back(self, name: str, tokens: int) -> None:
        """Return tokens that were reserved and not used, negative for more than that."""
        ...

    async def refuse(self, name: str, asked_seconds: float | None) -> None:
        """Close the lane because the provider refused a call."""
        ...


@dataclass(frozen=True, slots=True)
class PacedModel:
    """Makes a call when its lane has room within a second; `host` names the endpoint.

    Raises ModelLaneBusy when there is none. Finding a background response again is no call, and takes no room.
    """

    model: ModelClient
    lanes: Lanes
    host: str

    async def respond(
        self, request: ModelRequest, timeout_seconds: float, background: Background | None = None
    ) -> ModelResponse:
        """Return the model's answer; the time starts when the lane has room."""
        lane = f"{self.host}/{request.model}"
        is_call = background is None or background.response_id is None
        reserved = await _room(self.lanes, lane, most_tokens(request), request.model) if is_call else 0
        try:
            answer = await self.model.respond(request, timeout_seconds, background)
        except ModelRateLimited as error:
            self.lanes.give_back(lane, reserved)
            await self.lanes.refuse(lane, error.retry_after_seconds)
            raise
        except (ModelRefused, ModelAnswerCut) as error:
            self._settle(lane, reserved, error.usage)
            raise
        self._settle(lane, reserved, answer.usage)
        return answer

    async def cancel(self, response_id: str, timeout_seconds: float) -> Usage | None:
        """End a background response, which takes no room."""
        return await self.model.cancel(response_id, timeout_seconds)

    async def close(self) -> None:
        """Close the model."""
        await self.model.close()

    def _settle(self, lane: str, reserved: int, used: Usage) -> None:
        if reserved:
            self.lanes.give_back(lane, reserved - used.input_tokens - used.output_tokens)


@dataclass(frozen=True, slots=True)
class PacedEmbedder:
    """Embeds when the lane of its model has room within a second, as a `PacedModel` answers."""

    embedder: Embedder
    lanes: Lanes
    host: str
    model: str

    @property
    def space(self) -> str:
        """Name what vectors compare with."""
        return self.embedder.space

    async def embed(self, texts: Sequence[str], timeout_seconds: float) -> Embeddings:
        """Return the vectors; the time starts when the lane has room."""
        lane = f"{self.host}/{self.model}"
        reserved = await _room(self.lanes, lane, sum(map(_tokens, texts)), self.model)
        try:
            found = await self.embedder.embed(texts, timeout_seconds)
        except ModelRateLimited as error:
            self.lanes.give_back(lane, reserved)
            await self.lanes.refuse(lane, error.retry_after_seconds)
            raise
        self.lanes.give_back(lane, reserved - found.usage.input_tokens)
        return found


async def _room(lanes: Lanes, lane: str, tokens: int, model: str) -> int:
    """Wait until the lane has room for the tokens, and return how many that are."""
    match await lanes.reserve(lane, tokens, _PATIENCE_SECONDS):
        case Busy(retry_after_seconds=wait_seconds):
            raise ModelLaneBusy(
                f"The limits of '{lane}' leave no room for a call for {wait_seconds:.1f} s. If that is usual, raise"
                " MODEL_REQUESTS_PER_MINUTE or MODEL_TOKENS_PER_MINUTE as far as the provider allows.",
                retry_after_seconds=wait_seconds,
                model=model,
            )
        case Go(after_seconds=wait_seconds):
            await asyncio.sleep(wait_seconds)
    return tokens


def most_tokens(request: ModelRequest) -> int:
    """Return about how many tokens the call may take: providers count the answer's limit before there is an answer."""
    asked = f"{request.instructions}{request.input}{request.output_schema or ''}{request.tools}"
    return _tokens(asked) + request.max_output_tokens


def _tokens(text: str) -> int:
    return len(text.encode()) // _BYTES_PER_TOKEN
