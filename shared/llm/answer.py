"""Reading a body of the Responses API: what a model said, or why it said nothing usable.

The body is checked here and not by the provider's library, which builds its objects without checking them: compatible
providers leave parts out, and a missing part must be a typed error, not an AttributeError.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Discriminator, Field, Tag, ValidationError

from shared.errors import AppError
from shared.llm.errors import (
    ModelAnswerCut,
    ModelAnswerMalformed,
    ModelRateLimited,
    ModelRefused,
    ModelRequestRefused,
    ModelUnavailable,
)
from shared.llm.port import Finish, ModelRequest, ModelResponse, ToolCall, Usage

_MAX_OUTPUT_TOKENS = "max_output_tokens"
_PROVIDER_FAILED = frozenset({"server_error", "vector_store_timeout"})
_UNDER_WAY = frozenset({"queued", "in_progress"})

Parsed = TypeVar("Parsed", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a response is that the provider keeps; `usage` is None as long as it is not told."""

    id: str
    status: str
    usage: Usage | None

    @property
    def is_over(self) -> bool:
        """Whether nothing changes any more. A status that nobody has heard of is an end, too."""
        return self.status not in _UNDER_WAY


class _InputDetails(BaseModel):
    cached_tokens: int | None = None


class _OutputDetails(BaseModel):
    reasoning_tokens: int | None = None


class _Usage(BaseModel):
    input_tokens: int = 0
    output_tokens: int = 0
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None

    def counted(self) -> Usage:
        return Usage(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cached_tokens=(self.input_tokens_details or _InputDetails()).cached_tokens,
            reasoning_tokens=(self.output_tokens_details or _OutputDetails()).reasoning_tokens,
        )


class _Part(BaseModel):
    type: str
    text: str = ""


class _Message(BaseModel):
    type: Literal["message"]
    content: list[_Part] | None = None


class _FunctionCall(BaseModel):
    type: Literal["function_call"]
    call_id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    arguments: str


class _OtherItem(BaseModel):
    type: str


def _kind_of(item: Any) -> str:
    kind = item.get("type") if isinstance(item, dict) else None
    return kind if kind in ("message", "function_call") else "other"


_Item = Annotated[
    Annotated[_Message, Tag("message")]
    | Annotated[_FunctionCall, Tag("function_call")]
    | Annotated[_OtherItem, Tag("other")],
    Discriminator(_kind_of),
]


class _Failure(BaseModel):
    code: str | None = None


class _Incomplete(BaseModel):
    reason: str | None = None


class _Head(BaseModel):
    id: str
    status: str = "completed"
    usage: _Usage | None = None


class _Body(_Head):
    model: str
    output: list[_Item]
    error: _Failure | None = None
    incomplete_details: _Incomplete | None = None

    def parts(self) -> Iterator[_Part]:
        for item in self.output:
            if isinstance(item, _Message):
                yield from item.content or ()

    def calls(self) -> Iterator[_FunctionCall]:
        return (item for item in self.output if isinstance(item, _FunctionCall))


def read_answer(body: bytes, request: ModelRequest) -> ModelResponse:
    """Return what a successful HTTP answer to `request` holds, or raise what it means instead."""
    answer = _parse(_Body, body, request.model)
    usage = (answer.usage or _Usage()).counted()
    facts: dict[str, Any] = {"model": request.model, "response_id": answer.id}
    if answer.status == "failed":
        raise _failure(answer.error or _Failure(), facts)
    if any(part.type == "refusal" for part in answer.parts()):
        raise ModelRefused(
            f"Model '{request.model}' refused to answer ({answer.id}). Look at the run's input and the Agent's"
            " instructions; the same request will be refused again.",
            usage,
            **facts,
        )
    reason = answer.incomplete_details.reason if answer.incomplete_details else None
    if answer.status == "incomplete" and reason == _MAX_OUTPUT_TOKENS:
        raise ModelAnswerCut(
            f"Model '{request.model}' reached max_output_tokens ({request.max_output_tokens}) before the end of its"
            f" answer ({answer.id}). Raise max_output_tokens of the Agent, or ask for less.",
            usage,
            **facts,
        )
    return ModelResponse(
        id=answer.id,
        model=answer.model,
        text="".join(part.text for part in answer.parts() if part.type == "output_text"),
        usage=usage,
        finish=Finish.COMPLETED if answer.status == "completed" else Finish.INCOMPLETE,
        finish_reason=None if answer.status == "completed" else reason or answer.status,
        tool_calls=tuple(ToolCall(each.call_id, each.name, each.arguments) for each in answer.calls()),
    )


def read_progress(body: bytes, model: str) -> Progress:
    """Return how far the response is, or raise ModelAnswerMalformed."""
    head = _parse(_Head, body, model)
    return Progress(head.id, head.status, head.usage.counted() if head.usage else None)


def _parse(shape: type[Parsed], body: bytes, model: str) -> Parsed:
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        # The validation error itself quotes the body, which holds the model's answer: only its places are told.
        places = ", ".join(sorted({".".join(map(str, each["loc"])) or each["type"] for each in error.errors()}))
        raise ModelAnswerMalformed(
            f"The answer for model '{model}' is not a response of the Responses API (wrong: {places}). Check"
            " that OPENAI_BASE_URL names such an API; if it does, the provider or a proxy on the way is at fault.",
            model=model,
        ) from None


def _failure(error: _Failure, facts: dict[str, Any]) -> AppError:
    told = f"Model '{facts['model']}' failed after accepting the request ({facts['response_id']}, {error.code})."
    if error.code == "rate_limit_exceeded":
        return ModelRateLimited(f"{told} Fewer calls at a time, or a higher limit at the provider, avoid it.", **facts)
    if error.code is None or error.code in _PROVIDER_FAILED:
        return ModelUnavailable(f"{told} The provider is at fault; it usually passes.", **facts)
    return ModelRequestRefused(f"{told} Look the code up at the provider; repeating it will not help.", **facts)
