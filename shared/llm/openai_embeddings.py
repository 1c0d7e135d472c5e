"""The embedding port on OpenAI's embeddings API, or on any endpoint that speaks it."""

import asyncio
from array import array
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import orjson
from openai import omit
from openai.resources.embeddings import AsyncEmbeddingsWithRawResponse

from shared.llm.errors import ModelAnswerMalformed, ModelTimedOut
from shared.llm.openai_errors import Translation
from shared.llm.port import Embeddings, Usage

_FLOAT_BYTES = 4


class OpenAIEmbedder:
    """One model of one endpoint. `dimensions` 0 takes as many as the model gives; some models know no other number."""

    def __init__(
        self, api: AsyncEmbeddingsWithRawResponse, translation: Translation, model: str, dimensions: int
    ) -> None:
        self._api = api
        self._translation = translation
        self._model = model
        self._dimensions = dimensions

    @property
    def space(self) -> str:
        """Name what vectors compare with."""
        return f"{self._model}/{self._dimensions or 'all'}"

    async def embed(self, texts: Sequence[str], timeout_seconds: float) -> Embeddings:
        """Make one call; a call that takes too long is given up."""
        try:
            async with asyncio.timeout(timeout_seconds):
                content = await self._call(texts)
        except TimeoutError:
            raise ModelTimedOut(
                f"Embedding model '{self._model}' gave no whole answer for {len(texts)} texts within"
                f" {timeout_seconds:g} s. If that is usual, raise MODEL_CALL_TIMEOUT_SECONDS.",
                model=self._model,
                timeout_seconds=timeout_seconds,
            ) from None
        return read_embeddings(content, len(texts), self._model)

    async def _call(self, texts: Sequence[str]) -> bytes:
        with self._translation.about(f"Embedding model '{self._model}'", model=self._model):
            # Raw, and decoded here: the library would make a Python object of every number.
            answer = await self._api.create(
                model=self._model,
                input=list(texts),
                dimensions=self._dimensions or omit,
                encoding_format="base64",
            )
        return answer.http_response.content


def read_embeddings(content: bytes, count: int, model: str) -> Embeddings:
    """Return the vectors in the order of the texts; raises ModelAnswerMalformed for what is no such answer."""
    try:
        answer = orjson.loads(content)
        listed = sorted(answer["data"], key=lambda each: int(each["index"]))
        vectors = tuple(_numbers(each["embedding"]) for each in listed)
        usage = Usage(int(answer["usage"]["prompt_tokens"]), 0)
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError) as error:
        raise _malformed(model, f"it cannot be read ({type(error).__name__})") from None
    if len(vectors) != count or len({len(vector) for vector in vectors}) > 1 or not all(vectors):
        raise _malformed(model, f"there are {len(vectors)} vectors of {count} texts, or not all of one length")
    return Embeddings(vectors, usage)


def _numbers(embedding: Any) -> tuple[float, ...]:
    """Return the numbers; an endpoint that does not know base64 sends them as they are."""
    if not isinstance(embedding, str):
        return tuple(float(number) for number in embedding)
    packed = b64decode(embedding, validate=True)
    if len(packed) % _FLOAT_BYTES:
        raise ValueError("not a whole number of 32-bit floats")
    return tuple(array("f", packed))


def _malformed(model: str, why: str) -> ModelAnswerMalformed:
    return ModelAnswerMalformed(f"The answer of embedding model '{model}' is no list of vectors: {why}.", model=model)
