"""Tool calls as steps: checked, bounded in time, and told to the model when they cannot be made."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from services.runner.agents.limits import ToolCallTimedOut
from services.runner.agents.prompt import render_tool_failure, render_tool_output
from services.runner.recorder import Step
from services.runner.tools.output import as_output
from services.runner.tools.tool import Paid, Scope, Stores, Tool, ToolStops
from services.runner.tools.web_tools import NAMES as WEB_TOOLS
from services.runner.work import Attempt
from shared.domain.run import Usage
from shared.domain.step import tool_request
from shared.errors import AppError, NotNow, Permanent, StorageUnavailable
from shared.llm.port import ToolCall, ToolResult, ToolSpec

_MOST_FAULTS = 10
_SHOWN_CHARACTERS = 1_000


class ToolUnknown(Permanent):
    """The Agent version names a tool that this runner does not have."""

    code = "tool_unknown"


class ToolUnavailable(Permanent):
    """The Agent version names a tool of the web, and this runner has no EXA_API_KEY."""

    code = "tool_unavailable"


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """Makes the tool calls that a model asks for, with the data of the run alone."""

    tools: Mapping[str, Tool]
    stores: Stores

    def offered(self, attempt: Attempt) -> tuple[ToolSpec, ...]:
        """Return the tools of the Agent version; raises ToolUnknown or ToolUnavailable for one that is not here."""
        missing = [name for name in attempt.spec.tools if name not in self.tools]
        if WEB_TOOLS.issuperset(missing) and missing:
            raise ToolUnavailable(
                f"'{attempt.spec.key}' needs {', '.join(missing)}, and this runner has no EXA_API_KEY. Set it for every"
                " runner, or take the tools out of the Agent."
            )
        if missing:
            raise ToolUnknown(
                f"'{attempt.spec.key}' names tools that this runner does not have ({', '.join(missing)}); there are"
                f" {', '.join(self.tools)}. Update the runners, or correct the Agent."
            )
        return tuple(self.tools[name].spec for name in attempt.spec.tools)

    async def make(self, attempt: Attempt, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
        """Make the calls of one answer together, numbered in their order; the first that ends the run ends all."""
        told = [self._told(attempt, call) for call in calls]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(each) for each in told]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return tuple(ToolResult(call.id, task.result()) for call, task in zip(calls, tasks, strict=True))

    def _told(self, attempt: Attempt, call: ToolCall) -> Coroutine[Any, Any, str]:
        """Begin a call, with its number taken, and return what comes of it as the model is told."""
        event: dict[str, Any] = {"tool": call.name, "arguments": call.arguments[:_SHOWN_CHARACTERS], "told": None}
        attempt.produced.setdefault("tool_calls", []).append(event)
        tool = self.tools.get(call.name) if call.name in attempt.spec.tools else None
        if tool is None:
            known = ", ".join(attempt.spec.tools) or "none"
            return _noted(event, _refused(f"There is no tool '{call.name}'. There are: {known}."))
        arguments, faults = _arguments(call.arguments, tool.spec.parameters)
        if faults:
            return _noted(event, _refused(f"The arguments do not satisfy the schema: {'; '.join(faults)}."))
        asked = tool_request(call.name, arguments)
        made = attempt.steps.step(
            "tool_call", call.name, asked, lambda step: self._call(attempt, tool, arguments, step)
        )
        return _noted(event, _rendered(attempt, made))

    async def _call(self, attempt: Attempt, tool: Tool, arguments: dict[str, Any], step: Step) -> dict[str, Any]:
        run, seconds = attempt.run, attempt.spec.limits.tool_call_timeout_seconds
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                scope = Scope(run["organisation"], run["project"], run["user"])
                return _result(await tool.call(self.stores, scope, arguments))
        except TimeoutError:
            if not limit.expired():
                raise
            raise ToolCallTimedOut(
                f"The tool '{tool.spec.name}' did not return within {seconds:g} s"
                f" (limits.tool_call_timeout_seconds of '{attempt.spec.key}').",
                attempt.produced,
            ) from None
        except (ToolStops, StorageUnavailable, NotNow):
            raise
        except AppError as error:
            await step.fail(error)
            return {"failure": {"code": error.code, "detail": error.message}}


async def _refused(why: str) -> str:
    return render_tool_failure(why)


def _result(returned: Any) -> dict[str, Any]:
    if isinstance(returned, Paid):
        return {"output": as_output(returned.value), "usage": {"input_tokens": returned.input_tokens}}
    return {"output": as_output(returned)}


async def _rendered(attempt: Attempt, made: Coroutine[Any, Any, dict[str, Any]]) -> str:
    result = await made
    if "usage" in result:
        attempt.usage = attempt.usage.plus(Usage(result["usage"]["input_tokens"]))
    if "failure" in result:
        return render_tool_failure(f"{result['failure']['detail']} ({result['failure']['code']})")
    return render_tool_output(result["output"])


async def _noted(event: dict[str, Any], told: Coroutine[Any, Any, str]) -> str:
    """Keep the beginning of what the model is told with what the run has produced; the whole of it is in the step."""
    text = await told
    event["told"] = text[:_SHOWN_CHARACTERS]
    return text


def _arguments(text: str, schema: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    try:
        arguments = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return {}, [f"they are not JSON: {error}"]
    faults = islice(Draft202012Validator(schema).iter_errors(arguments), _MOST_FAULTS)
    return arguments, [f"{fault.json_path}: {fault.message[:300]}" for fault in faults]
