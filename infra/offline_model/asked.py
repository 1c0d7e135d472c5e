"""What a caller of the Responses API asks for."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from infra.offline_model.sections import has_sections
from infra.offline_model.strict import strict_errors
from infra.offline_model.wire import BadRequest, json_object, parsed

Item = dict[str, Any]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class TextFormat(_Part):
    """The shape the answer must have; `schema` only with `json_schema`."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str = Field(default="answer", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class TextConfig(_Part):
    """How the answer's text is wanted."""

    format: TextFormat = TextFormat()


class Tool(_Part):
    """A tool offered to the model; only functions are ever called."""

    type: str
    name: str = ""
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Asked(_Part):
    """A request, with the items of the conversation it continues in front of its own."""

    model: str = Field(min_length=1)
    input: str | list[Item] = ""
    instructions: str | None = None
    text: TextConfig = TextConfig()
    tools: list[Tool] = []
    tool_choice: str | dict[str, Any] = "auto"
    max_output_tokens: int | None = Field(default=None, ge=16)
    metadata: dict[str, str] = {}
    previous_response_id: str | None = None
    stream: bool = False
    background: bool = False
    store: bool = True

    @property
    def items(self) -> list[Item]:
        """The input as items, whichever way it was given."""
        if isinstance(self.input, list):
            return self.input
        return [{"type": "message", "role": "user", "content": self.input}]

    @property
    def prompt(self) -> str:
        """The text to answer: the last rendered input when there is one, else everything that people said."""
        said = [_text_of(item) for item in self.items if item.get("role") in ("user", "developer")]
        return next((text for text in reversed(said) if has_sections(text)), "\n\n".join(said))

    @property
    def answer_schema(self) -> Mapping[str, Any] | None:
        """The schema that the answer's JSON must satisfy, when there is one."""
        return self.text.format.json_schema if self.text.format.type == "json_schema" else None

    @property
    def tool_results(self) -> list[tuple[str, str]]:
        """The functions called so far, each with what it returned; an unanswered call returned nothing."""
        outputs = {item.get("call_id"): item for item in self.items if item.get("type") == "function_call_output"}
        return [
            (str(item.get("name")), _text_of(outputs.get(item.get("call_id"), {})))
            for item in self.items
            if item.get("type") == "function_call"
        ]

    def everything_said(self) -> str:
        """Return all texts of the request, to search in and to count."""
        return "\n".join(filter(None, (self.instructions, *(_text_of(item) for item in self.items))))


def read_request(body: bytes) -> Asked:
    """Return the request; raises BadRequest with the parameter that is wrong, as the provider would."""
    asked = parsed(Asked, _without_nulls(body))
    if asked.text.format.type == "json_schema":
        _check_schema(asked.text.format)
    if asked.stream and asked.background:
        raise BadRequest("The offline model does not stream background responses.", param="stream")
    if asked.background and not asked.store:
        raise BadRequest("Background mode requires 'store' to be true.", param="store")
    return asked


def continued(asked: Asked, earlier: list[Item]) -> Asked:
    """Return the request with the items of an earlier conversation in front of its own."""
    return asked.model_copy(update={"input": [*earlier, *asked.items]})


def _check_schema(text_format: TextFormat) -> None:
    if text_format.json_schema is None:
        raise BadRequest("Missing required parameter: 'text.format.schema'.", param="text.format.schema")
    errors = strict_errors(text_format.json_schema) if text_format.strict else []
    if errors:
        raise BadRequest(
            f"Invalid schema for response_format '{text_format.name}': {'; '.join(errors)}.",
            param="text.format.schema",
            code="invalid_json_schema",
        )


def _without_nulls(body: bytes) -> dict[str, Any]:
    """Return the body without the parameters that are null: the provider takes them as not given."""
    return {key: value for key, value in json_object(body).items() if value is not None}


def _text_of(item: Mapping[str, Any]) -> str:
    return "\n".join(_texts(item.get("content") or item.get("output") or ""))


def _texts(content: Any) -> Iterator[str]:
    match content:
        case str(text):
            yield text
        case list():
            for part in content:
                yield from _texts(part)
        case {"text": str(text)}:
            yield text
