"""What a service may ask of a model, whoever provides it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Role(StrEnum):
    """Who speaks in a message."""

    USER = "user"
    ASSISTANT = "assistant"
    DEVELOPER = "developer"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation, oldest first in a request."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call of one model.

    `input` is one text, or the turns of a conversation. With an `output_schema` (a strict JSON Schema, named
    `schema_name`) the answer's text is JSON that satisfies it. `max_output_tokens` includes the tokens a model spends
    on reasoning. `metadata` (up to 16 short texts) is kept by the provider beside the call; it never reaches the model.
    """

    model: str
    instructions: str
    input: tuple[Message, ...] | str
    output_schema: Mapping[str, Any] | None = None
    schema_name: str = "answer"
    max_output_tokens: int = 4_000
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one call; None where the provider does not say.

    `cached_tokens` is a part of `input_tokens`, `reasoning_tokens` a part of `output_tokens`.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Finish(StrEnum):
    """Whether the model said all it had to say."""

    COMPLETED = "completed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class ModelResponse:
    """What came back. `finish_reason` is set when the answer is incomplete, in the provider's words."""

    id: str
    model: str
    text: str
    usage: Usage
    finish: Finish = Finish.COMPLETED
    finish_reason: str | None = None


class ModelClient(Protocol):
    """A provider of models. One client serves many calls at once."""

    async def respond(self, request: ModelRequest, timeout_seconds: float) -> ModelResponse:
        """Return the model's answer, or raise one of `shared.llm.errors`.

        The call is made once: nothing is retried here. An answer that was cut because `max_output_tokens` was reached
        raises `ModelAnswerCut`; one that is incomplete for another reason is returned as it is.
        """
        ...

    async def close(self) -> None:
        """Release the connections. A second call changes nothing."""
        ...
