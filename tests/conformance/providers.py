"""Model clients whose providers do what a test wants: the scripted one, and the real adapter on two servers.

One server is our own offline model. The other one was written by others and is not capable of everything.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from enum import StrEnum

import aiohttp

from infra.offline_model.server import serving
from shared.clock import utc_now
from shared.errors import AppError
from shared.llm import errors
from shared.llm.openai_client import OpenAIModel
from shared.llm.port import Finish, ModelClient, ModelRequest, ModelResponse, ToolCall, ToolSpec, Usage
from shared.testing.model import ScriptedModel, Silence, Step
from tests.support.aimock import fresh_aimock
from tests.support.model import Model

SECRET = "sk-very-secret-key"
SCHEMA = {
    "type": "object",
    "properties": {"summary": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["summary", "count"],
    "additionalProperties": False,
}
REQUEST = ModelRequest(
    model="gpt-5.1",
    instructions="Sum up what you are given.",
    input="Nora prefers mornings for reviews.",
    output_schema=SCHEMA,
    schema_name="note",
    max_output_tokens=500,
    metadata={"run_id": "run_1"},
)
TOOL = ToolSpec(
    name="look_up",
    description="Says what is known about a topic.",
    parameters={
        "type": "object",
        "properties": {"topic": {"type": "string"}},
        "required": ["topic"],
        "additionalProperties": False,
    },
)


class Behaviour(StrEnum):
    """What the other side does with a call."""

    ANSWERS = "answers"
    IS_SILENT = "is silent"
    LIMITS_THE_RATE = "limits the rate"
    HAS_NO_CREDIT_LEFT = "has no credit left"
    FAILS = "fails"
    FAILS_LATE = "fails late"
    TALKS_NONSENSE = "talks nonsense"
    HANGS_UP = "hangs up"
    REFUSES_THE_REQUEST = "refuses the request"
    REFUSES_THE_KEY = "refuses the key"
    DECLINES = "declines"
    STOPS_AT_THE_LIMIT = "stops at the limit"
    WANTS_A_TOOL = "wants a tool"
    FILTERS = "filters"


USAGE = Usage(input_tokens=12, output_tokens=7, cached_tokens=0, reasoning_tokens=0)
WANTED = '{"topic": "reviews"}'
ANSWER = '{"summary": "Nora prefers mornings.", "count": 1}'
STEPS: dict[Behaviour, Step] = {
    Behaviour.ANSWERS: ANSWER,
    Behaviour.IS_SILENT: Silence(),
    Behaviour.LIMITS_THE_RATE: errors.ModelRateLimited("Too many calls.", retry_after_seconds=3.0),
    Behaviour.HAS_NO_CREDIT_LEFT: errors.ModelQuotaSpent("No credit."),
    Behaviour.FAILS: errors.ModelUnavailable("Failed."),
    Behaviour.FAILS_LATE: errors.ModelUnavailable("Failed."),
    Behaviour.TALKS_NONSENSE: errors.ModelAnswerMalformed("Nonsense."),
    Behaviour.HANGS_UP: errors.ModelUnavailable("Gone."),
    Behaviour.REFUSES_THE_REQUEST: errors.ModelRequestRefused("Wrong."),
    Behaviour.REFUSES_THE_KEY: errors.ModelAuthFailed("Who?"),
    Behaviour.DECLINES: errors.ModelRefused("No.", USAGE),
    Behaviour.STOPS_AT_THE_LIMIT: errors.ModelAnswerCut("Too long.", USAGE),
    Behaviour.WANTS_A_TOOL: ToolCall("call_1", "look_up", WANTED),
    Behaviour.FILTERS: ModelResponse("resp_1", "gpt-5.1", ANSWER[:9], USAGE, Finish.INCOMPLETE, "content_filter"),
}
FAULTS: dict[Behaviour, dict[str, object]] = {
    Behaviour.ANSWERS: {"kind": "slow", "seconds": 0},
    Behaviour.IS_SILENT: {"kind": "slow", "seconds": 60},
    Behaviour.LIMITS_THE_RATE: {"kind": "429", "retry_after": 3},
    Behaviour.HAS_NO_CREDIT_LEFT: {"kind": "429", "code": "insufficient_quota"},
    Behaviour.FAILS: {"kind": "500"},
    Behaviour.FAILS_LATE: {"kind": "failed"},
    Behaviour.TALKS_NONSENSE: {"kind": "malformed"},
    Behaviour.HANGS_UP: {"kind": "cut"},
    Behaviour.REFUSES_THE_REQUEST: {"kind": "400"},
    Behaviour.REFUSES_THE_KEY: {"kind": "401"},
    Behaviour.DECLINES: {"kind": "refusal"},
    Behaviour.STOPS_AT_THE_LIMIT: {"kind": "incomplete"},
    Behaviour.WANTS_A_TOOL: {"kind": "tool_call", "code": "look_up", "arguments": WANTED},
    Behaviour.FILTERS: {"kind": "incomplete", "reason": "content_filter"},
}
ONE_ANSWER = {"content": ANSWER, "usage": {"input_tokens": 12, "output_tokens": 7}}
FIXTURES: dict[Behaviour, dict[str, object]] = {
    Behaviour.ANSWERS: {"response": ONE_ANSWER},
    Behaviour.IS_SILENT: {"response": ONE_ANSWER, "chaos": {"latencyMs": 30_000}},
    Behaviour.LIMITS_THE_RATE: {"response": {"error": {"message": "Slow down."}, "status": 429, "retryAfter": 3}},
    Behaviour.HAS_NO_CREDIT_LEFT: {
        "response": {"error": {"message": "Pay first.", "code": "insufficient_quota"}, "status": 429}
    },
    Behaviour.FAILS: {"response": {"error": {"message": "Oh."}, "status": 500}},
    Behaviour.FAILS_LATE: {"response": {**ONE_ANSWER, "finishReason": "failed"}},
    Behaviour.TALKS_NONSENSE: {"response": ONE_ANSWER, "chaos": {"malformedRate": 1}},
    Behaviour.HANGS_UP: {"response": ONE_ANSWER, "chaos": {"disconnectRate": 1}},
    Behaviour.REFUSES_THE_REQUEST: {"response": {"error": {"message": "Wrong."}, "status": 400}},
    Behaviour.REFUSES_THE_KEY: {"response": {"error": {"message": "Who?"}, "status": 401}},
    Behaviour.WANTS_A_TOOL: {
        "response": {
            "toolCalls": [{"id": "call_1", "name": "look_up", "arguments": WANTED}],
            "usage": {"input_tokens": 12, "output_tokens": 7},
        }
    },
}
FAILURES: dict[Behaviour, type[AppError]] = {
    Behaviour.LIMITS_THE_RATE: errors.ModelRateLimited,
    Behaviour.HAS_NO_CREDIT_LEFT: errors.ModelQuotaSpent,
    Behaviour.FAILS: errors.ModelUnavailable,
    Behaviour.FAILS_LATE: errors.ModelUnavailable,
    Behaviour.TALKS_NONSENSE: errors.ModelAnswerMalformed,
    Behaviour.HANGS_UP: errors.ModelUnavailable,
    Behaviour.REFUSES_THE_REQUEST: errors.ModelRequestRefused,
    Behaviour.REFUSES_THE_KEY: errors.ModelAuthFailed,
    Behaviour.DECLINES: errors.ModelRefused,
    Behaviour.STOPS_AT_THE_LIMIT: errors.ModelAnswerCut,
}
CLIENTS = ("scripted", "offline model", "aimock")
KEEPING_CLIENTS = CLIENTS[:2]
"""Those whose provider keeps responses."""
ClientThat = Callable[..., Awaitable[ModelClient]]


def meeting(behaviours: Iterable[Behaviour]) -> list[tuple[str, Behaviour]]:
    """Return each client with each of the behaviours that its server is capable of."""
    return [
        (client, each) for client in CLIENTS for each in behaviours if client in KEEPING_CLIENTS or each in FIXTURES
    ]


async def scripted(*behaviours: Behaviour) -> ModelClient:
    return ScriptedModel(*(STEPS[each] for each in behaviours))


@asynccontextmanager
async def on_the_offline_model() -> AsyncIterator[ClientThat]:
    async with serving() as address, aiohttp.ClientSession() as session:
        model = OpenAIModel(SECRET, f"{address}/v1", utc_now)

        async def real(*behaviours: Behaviour) -> ModelClient:
            await Model(session, address).have_faults(*(FAULTS[each] for each in behaviours))
            return model

        yield real
        await model.close()


@asynccontextmanager
async def on_aimock(url: str) -> AsyncIterator[ClientThat]:
    async with fresh_aimock(url) as aimock:
        model = OpenAIModel(SECRET, aimock.base_url, utc_now)

        async def real(*behaviours: Behaviour) -> ModelClient:
            for number, each in enumerate(behaviours):
                await aimock.will({"match": {"userMessage": "mornings", "sequenceIndex": number}, **FIXTURES[each]})
            return model

        yield real
        await model.close()
