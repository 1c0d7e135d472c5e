"""What a service may ask of a model, whoever provides it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
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
class ToolSpec:
    """A function that the model may ask for. `parameters` is a strict JSON Schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model asks for. `arguments` is JSON text as the model wrote it, which may be wrong."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call that the model asked for; in a request it follows that call."""

    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call of one model.

    `input` is one text, or the turns of a conversation with the calls and results of tools among them. With an `output_schema` (a strict JSON Schema, named
    `schema_name`) the answer's text is JSON that satisfies it. `max_output_tokens` includes the tokens a model spends
    on reasoning. `metadata` (up to 16 short texts) is kept by the provider beside the call; it never reaches the model.
    """

    model: str
    instructions: str
    input: tuple[Message | ToolCall | ToolResult, ...] | str
    output_schema: Mapping[str, Any] | None = None
    schema_name: str = "answer"
    max_output_tokens: int = 4_000
    metadata: Mapping[str, str] = field(default_factory=dict)
    tools: tuple[ToolSpec, ...] = ()


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
    """What came back. `finish_reason` is set when the answer is incomplete, in the provider's words.

    With `tool_calls` the model waits for their results; there may be a text beside them.
    """

    id: str
    model: str
    text: str
    usage: Usage
    finish: Finish = Finish.COMPLETED
    finish_reason: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Background:
    """Has the provider keep the response, so that another process can fetch it.

    `response_id` is one that was started before, None to start one. `on_started` gets the id of each response that is
    started, before its answer is waited for; what it raises ends the call.
    """

    response_id: str | None
    on_started: Callable[[str], Awaitable[None]]


class ModelClient(Protocol):
    """A provider of models. One client serves many calls at once."""

    async def respond(
        self, request: ModelRequest, timeout_seconds: float, background: Background | None = None
    ) -> ModelResponse:
        """Return the model's answer, or raise one of `shared.llm.errors`.

        The call is made once: nothing is retried here. An answer that was cut because `max_output_tokens` was reached
        raises `ModelAnswerCut`; one that is incomplete for another reason is returned as it is.

        A plain call that is cancelled or timed out is given up at the provider. One in the background is given up
        when its time is over, but goes on when it is cancelled: whoever wants it ended calls `cancel`. A response that
        the provider does not know any more, or that was cancelled there, is started anew.
        """
        ...

    async def cancel(self, response_id: str, timeout_seconds: float) -> Usage | None:
        """End a background response, and return what it had used, None when the provider does not say.

        One that has ended already, or that the provider does not know, is left as it is.
        """
        ...

    async def close(self) -> None:
        """Release the connections. A second call changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The vectors of texts, in their order and all of one length; texts of like meaning have like directions."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage


class Embedder(Protocol):
    """A provider of vectors. One serves many calls at once."""

    @property
    def space(self) -> str:
        """Name what vectors compare with: the model and the number of dimensions, such as `a-model/512`."""
        ...

    async def embed(self, texts: Sequence[str], timeout_seconds: float) -> Embeddings:
        """Return a vector of each text, or raise one of `shared.llm.errors`; nothing is retried here.

        Texts are not empty; what fits into one call is for the caller to know (`openai_embeddings.MOST_TEXTS`).
        """
        ...
