"""The model port on OpenAI's Responses API, or on any endpoint that speaks it.

Importing this module loads the provider's library (about a second and 15 to 40 MB), so only what calls models does.
"""

import asyncio
from typing import Any

from openai import APIConnectionError, APIStatusError, AsyncOpenAI, Omit, Timeout, omit
from openai.types.responses import EasyInputMessageParam, ResponseInputParam, ResponseTextConfigParam

from shared.clock import Clock
from shared.errors import AppError
from shared.llm.answer import read_answer
from shared.llm.errors import (
    ModelAuthFailed,
    ModelQuotaSpent,
    ModelRateLimited,
    ModelRequestRefused,
    ModelTimedOut,
    ModelUnavailable,
)
from shared.llm.port import ModelRequest, ModelResponse
from shared.llm.retry_after import retry_after_seconds

_CONNECT_SECONDS = 5.0
_LONGEST_DETAIL = 300
_QUOTA_SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
# Not the request's fault: too slow in arriving, or in conflict with another one.
_PASSING = frozenset({408, 409})
_SERVER_ERRORS = 500
# The library insists on some key; endpoints that need none ignore it, the others answer 401.
_NO_KEY = "no-api-key-was-set"


class OpenAIModel:
    """One connection pool to one endpoint.

    Retries are the run's business, so the library's own are off. `base_url` None means OpenAI. Raises ModelAuthFailed
    for a key that cannot be sent at all.
    """

    def __init__(self, api_key: str, base_url: str | None, clock: Clock) -> None:
        # Only connecting is timed by the library: its read timeout starts anew with every byte that arrives.
        self._client = AsyncOpenAI(
            api_key=_sendable(api_key.strip()) or _NO_KEY,
            base_url=base_url or None,
            max_retries=0,
            timeout=Timeout(None, connect=_CONNECT_SECONDS),
        )
        # Loads the rest of the library now; at the first call it would hold up the event loop.
        self._responses = self._client.responses.with_raw_response
        self._clock = clock

    async def respond(self, request: ModelRequest, timeout_seconds: float) -> ModelResponse:
        """Make one call; nothing is stored at the provider."""
        try:
            async with asyncio.timeout(timeout_seconds):
                body = await self._post(request)
        except TimeoutError:
            raise ModelTimedOut(
                f"Model '{request.model}' gave no whole answer within {timeout_seconds:g} s. If that is usual for this"
                " Agent, raise MODEL_CALL_TIMEOUT_SECONDS, or lower its max_output_tokens.",
                model=request.model,
                timeout_seconds=timeout_seconds,
            ) from None
        except APIStatusError as error:
            # Not chained, here and below: the library's errors may quote the request or the key.
            raise self._answered_with(error, request.model) from None
        except APIConnectionError as error:
            raise self._hung_up(error, request.model) from None
        return read_answer(body, request)

    async def close(self) -> None:
        """Close the connections; calls in flight fail."""
        await self._client.close()

    async def _post(self, request: ModelRequest) -> bytes:
        answer = await self._responses.create(
            model=request.model,
            instructions=request.instructions,
            input=_input(request),
            text=_text_format(request),
            max_output_tokens=request.max_output_tokens,
            metadata=dict(request.metadata),
            store=False,
        )
        return answer.http_response.content

    def _answered_with(self, error: APIStatusError, model: str) -> AppError:
        facts: dict[str, Any] = {
            "model": model,
            "http_status": error.status_code,
            "provider_code": error.code,
            "request_id": error.request_id,
        }
        said = f"Model '{model}': the provider answered {error.status_code}"
        wait = retry_after_seconds(error.response.headers, self._clock())
        match error.status_code:
            case 401 | 403:
                return ModelAuthFailed(
                    f"{said}. Check that OPENAI_API_KEY is valid for {self._host} and may use this model.", **facts
                )
            case 429 if {error.code, error.type} & _QUOTA_SPENT:
                return ModelQuotaSpent(f"{said}: the account has no credit left. Add credit at the provider.", **facts)
            case 429:
                return ModelRateLimited(f"{said}: too many calls or tokens for now.", retry_after_seconds=wait, **facts)
            case status if status in _PASSING or status >= _SERVER_ERRORS:
                return ModelUnavailable(
                    f"{said}. The provider is at fault; it usually passes.", retry_after_seconds=wait, **facts
                )
        return ModelRequestRefused(f"{said}: {_detail(error)}. Correct the Agent or the model's name.", **facts)

    def _hung_up(self, error: APIConnectionError, model: str) -> AppError:
        cause = type(error.__cause__ or error).__name__
        return ModelUnavailable(
            f"Model '{model}': no answer from {self._host}, the connection failed ({cause}). Check that OPENAI_BASE_URL"
            " names a server that runs and can be reached from here.",
            model=model,
            cause=cause,
        )

    @property
    def _host(self) -> str:
        return self._client.base_url.netloc.decode() or "an address without http:// or https://"


def _sendable(api_key: str) -> str:
    if not (api_key.isascii() and api_key.isprintable()):
        raise ModelAuthFailed("OPENAI_API_KEY holds characters that no key has, such as a line break: set it again.")
    return api_key


def _input(request: ModelRequest) -> str | ResponseInputParam:
    if isinstance(request.input, str):
        return request.input
    return [EasyInputMessageParam(role=each.role.value, content=each.text) for each in request.input]


def _text_format(request: ModelRequest) -> ResponseTextConfigParam | Omit:
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


def _detail(error: APIStatusError) -> str:
    """Return the provider's explanation, unless it is about the part of the request that holds people's texts."""
    about, code = error.param or "", error.code or "without a code"
    if not about or about.startswith(("input", "instructions")) or not isinstance(error.body, dict):
        return f"{code}, about '{about}'" if about else code
    return f"{about}: {str(error.body.get('message'))[:_LONGEST_DETAIL].rstrip('.')}"
