"""Requests in the words of the Responses API."""

from typing import assert_never

from openai import Omit, omit
from openai.types.responses import (
    EasyInputMessageParam,
    FunctionToolParam,
    ResponseFunctionToolCallParam,
    ResponseInputItemParam,
    ResponseInputParam,
    ResponseTextConfigParam,
)
from openai.types.responses.response_input_item_param import FunctionCallOutput

from shared.llm.port import Message, ModelRequest, ToolCall, ToolResult


def input_items(request: ModelRequest) -> str | ResponseInputParam:
    """Return the input: one text, or the turns of a conversation."""
    return request.input if isinstance(request.input, str) else [_item(each) for each in request.input]


def tools(request: ModelRequest) -> list[FunctionToolParam] | Omit:
    """Return the functions that the model may ask for."""
    return [
        FunctionToolParam(
            type="function",
            name=each.name,
            description=each.description,
            parameters=dict(each.parameters),
            strict=True,
        )
        for each in request.tools
    ] or omit


def text_format(request: ModelRequest) -> ResponseTextConfigParam | Omit:
    """Return the shape that the answer must have."""
    if request.output_schema is None:
        return omit
    return {
        "format": {
            "type": "json_schema",
            "name": request.schema_name,
            "schema": dict(request.output_schema),
            "strict": True,
        }
    }


def _item(each: Message | ToolCall | ToolResult) -> ResponseInputItemParam:
    match each:
        case Message(role=role, text=text):
            return EasyInputMessageParam(role=role.value, content=text)
        case ToolCall(id=call_id, name=name, arguments=arguments):
            return ResponseFunctionToolCallParam(type="function_call", call_id=call_id, name=name, arguments=arguments)
        case ToolResult(call_id=call_id, output=output):
            return FunctionCallOutput(type="function_call_output", call_id=call_id, output=output)
    assert_never(each)
