"""The model port on OpenAI's Responses API, or on any endpoint that speaks it.

Importing this module loads the provider's library (about a second and 15 to 40 MB), so only what calls models does.
"""

import asyncio
from collections.abc import Awaitable

from openai import AsyncOpenAI, Timeout, omit

from shared.clock import Clock
from shared.llm.answer import read_answer
from shared.llm.errors import ModelAuthFailed, ModelTimedOut
from shared.llm.openai_background import BackgroundCall, KeptResponses
from shared.llm.openai_embeddings import OpenAIEmbedder
from shared.llm.openai_errors import Translation
from shared.llm.openai_items import input_items, text_format, tools
from shared.llm.port import Background, ModelRequest, ModelResponse, Usage

_CONNECT_SECONDS = 5.0
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
        self._translation = Translation(self.host, clock)
        self._kept = KeptResponses(self._responses, self._translation)

    @property
    def host(self) -> str:
        """The endpoint's host and port, never the credentials in its address."""
        return self._client.base_url.netloc.decode() or "an address without http:// or https://"

    async def respond(
        self, request: ModelRequest, timeout_seconds: float, background: Background | None = None
    ) -> ModelResponse:
        """Make one call. A plain one leaves nothing at the provider; one in the background is stored there."""
        if background is None:
            return await _in_time(self._plain(request), request, timeout_seconds)
        call = BackgroundCall(self._kept, self._create_in_background, request, background)
        try:
            return await _in_time(call.answer(), request, timeout_seconds)
        except ModelTimedOut:
            await call.give_up()
            raise

    async def cancel(self, response_id: str, timeout_seconds: float) -> Usage | None:
        """End a background response, and return what it had used, None when the provider does not say."""
        return await self._kept.cancel(response_id, timeout_seconds)

    def embedder(self, model: str, dimensions: int) -> OpenAIEmbedder:
        """Return an embedder that shares the connections, and ends with them."""
        return OpenAIEmbedder(self._client.embeddings.with_raw_response, self._translation, model, dimensions)

    async def close(self) -> None:
        """Close the connections; calls in flight fail."""
        await self._client.close()

    async def _plain(self, request: ModelRequest) -> ModelResponse:
        return read_answer(await self._create(request, in_background=False), request)

    async def _create_in_background(self, request: ModelRequest) -> bytes:
        return await self._create(request, in_background=True)

    async def _create(self, request: ModelRequest, *, in_background: bool) -> bytes:
        with self._translation.about(f"Model '{request.model}'", model=request.model):
            answer = await self._responses.create(
                model=request.model,
                instructions=request.instructions,
                input=input_items(request),
                text=text_format(request),
                tools=tools(request),
                max_output_tokens=request.max_output_tokens,
                metadata=dict(request.metadata),
                background=True if in_background else omit,
                store=in_background,
            )
        return answer.http_response.content


async def _in_time(answer: Awaitable[ModelResponse], request: ModelRequest, timeout_seconds: float) -> ModelResponse:
    try:
        async with asyncio.timeout(timeout_seconds):
            return await answer
    except TimeoutError:
        raise ModelTimedOut(
            f"Model '{request.model}' gave no whole answer within {timeout_seconds:g} s. If that is usual for this"
            " Agent, raise MODEL_CALL_TIMEOUT_SECONDS, or lower its max_output_tokens.",
            model=request.model,
            timeout_seconds=timeout_seconds,
        ) from None


def _sendable(api_key: str) -> str:
    if not (api_key.isascii() and api_key.isprintable()):
        raise ModelAuthFailed("OPENAI_API_KEY holds characters that no key has, such as a line break: set it again.")
    return api_key
