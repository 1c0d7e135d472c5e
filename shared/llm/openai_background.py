"""Responses that the provider keeps: starting them, finding them again, waiting for their end, ending them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from openai import APIStatusError, NotFoundError
from openai.resources.responses import AsyncResponsesWithRawResponse

from shared.errors import AppError, Retryable
from shared.llm.answer import Progress, read_answer, read_progress
from shared.llm.errors import (
    ModelAnswerMalformed,
    ModelRateLimited,
    ModelResponseGone,
    ModelTimedOut,
    ModelUnavailable,
)
from shared.llm.openai_errors import Translation
from shared.llm.port import Background, ModelRequest, ModelResponse, Usage

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
_PAUSE_GROWTH = 1.5
_LONGEST_WISHED_PAUSE_SECONDS = 10.0
_ONE_RETRIEVAL_SECONDS = 10.0
_GIVING_UP_SECONDS = 2.0
_CANCELLED = "cancelled"
# Providers say in several ways that a response is not there to be cancelled, or not any more.
_NOT_TO_BE_CANCELLED = frozenset({400, 404, 405, 409, 410})


class KeptResponses:
    """The responses that one endpoint keeps."""

    def __init__(self, responses: AsyncResponsesWithRawResponse, translation: Translation) -> None:
        self._responses = responses
        self._translation = translation

    async def ended(self, response_id: str, model: str, first_pause_seconds: float = 0.0) -> bytes:
        """Return the response's body once nothing changes in it any more, however long that takes.

        Trouble in asking that usually passes is waited out. Raises ModelResponseGone when there is no such response.
        """
        pause_seconds = first_pause_seconds
        while True:
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(max(pause_seconds * _PAUSE_GROWTH, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
            try:
                async with asyncio.timeout(_ONE_RETRIEVAL_SECONDS):
                    body = await self._retrieve(response_id, model)
                if read_progress(body, model).is_over:
                    return body
            except TimeoutError:
                continue
            except (ModelUnavailable, ModelRateLimited, ModelAnswerMalformed) as error:
                wish_seconds = min(error.retry_after_seconds or 0.0, _LONGEST_WISHED_PAUSE_SECONDS)
                pause_seconds = max(pause_seconds, wish_seconds)

    async def cancel(self, response_id: str, timeout_seconds: float) -> Usage | None:
        """End a response, and return what it had used, when the provider says it."""
        try:
            async with asyncio.timeout(timeout_seconds):
                with self._translation.about(f"Response '{response_id}'", response_id=response_id):
                    progress = await self._cancel(response_id)
        except TimeoutError:
            raise ModelTimedOut(
                f"Response '{response_id}' was not cancelled within {timeout_seconds:g} s and may go on at the"
                " provider. It ends by itself at the max_output_tokens of its Agent.",
                response_id=response_id,
                timeout_seconds=timeout_seconds,
            ) from None
        return None if progress is None else progress.usage

    async def _retrieve(self, response_id: str, model: str) -> bytes:
        with self._translation.about(f"Model '{model}'", model=model, response_id=response_id):
            try:
                answer = await self._responses.retrieve(response_id)
            except NotFoundError:
                raise _gone(response_id, model, "is not known to the provider (any more)") from None
        return answer.http_response.content

    async def _cancel(self, response_id: str) -> Progress | None:
        try:
            answer = await self._responses.cancel(response_id)
        except APIStatusError as error:
            if error.status_code not in _NOT_TO_BE_CANCELLED:
                raise
            return await self._look_at(response_id)
        return read_progress(answer.http_response.content, response_id)

    async def _look_at(self, response_id: str) -> Progress | None:
        try:
            answer = await self._responses.retrieve(response_id)
        except NotFoundError:
            return None
        return read_progress(answer.http_response.content, response_id)


@dataclass(slots=True)
class BackgroundCall:
    """One call in the background. `create` starts a response; `under_way` is the one that is waited for."""

    kept: KeptResponses
    create: Callable[[ModelRequest], Awaitable[bytes]]
    request: ModelRequest
    background: Background
    under_way: str | None = None

    async def answer(self) -> ModelResponse:
        """Return the answer of the response that was started before, or of a new one when that cannot give any."""
        if self.background.response_id is None:
            return await self._start()
        try:
            return await self._attach(self.background.response_id)
        except Retryable:
            return await self._start()

    async def give_up(self) -> None:
        """Have the provider end what is under way, as far as it can be reached."""
        if self.under_way is not None:
            with suppress(AppError):
                await self.kept.cancel(self.under_way, _GIVING_UP_SECONDS)

    async def _attach(self, response_id: str) -> ModelResponse:
        self.under_way = response_id
        return self._read(await self.kept.ended(response_id, self.request.model))

    async def _start(self) -> ModelResponse:
        body = await self.create(self.request)
        progress = read_progress(body, self.request.model)
        self.under_way = progress.id
        try:
            await self.background.on_started(progress.id)
        except AppError:
            # Nobody knows the response, so nobody else could end it.
            await self.give_up()
            raise
        if not progress.is_over:
            body = await self.kept.ended(progress.id, self.request.model, _FIRST_PAUSE_SECONDS)
        return self._read(body)

    def _read(self, body: bytes) -> ModelResponse:
        progress = read_progress(body, self.request.model)
        if progress.status == _CANCELLED:
            raise _gone(progress.id, self.request.model, "was cancelled at the provider")
        return read_answer(body, self.request)


def _gone(response_id: str, model: str, what_happened: str) -> ModelResponseGone:
    return ModelResponseGone(
        f"Response '{response_id}' of model '{model}' {what_happened}, so that only a new call can answer.",
        model=model,
        response_id=response_id,
    )
