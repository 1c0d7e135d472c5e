"""Embeddings by feature hashing: texts that share words lie close, and nothing else is understood."""

import base64
import math
from array import array
from collections.abc import Iterator
from hashlib import blake2b
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from infra.offline_model.prose import words
from infra.offline_model.wire import BadRequest, Json, count_tokens

_USUAL_DIMENSIONS = 1_536
_DIMENSIONS = {"text-embedding-3-large": 3_072}
_GRAM = 4
_GRAM_WEIGHT = 0.4

Text = Annotated[str, Field(min_length=1)]
Tokens = Annotated[list[int], Field(min_length=1)]


class AskedEmbeddings(BaseModel):
    """A request for one vector per text; texts may come as lists of token numbers."""

    model: str = Field(min_length=1)
    input: (
        Text
        | Annotated[list[Text], Field(min_length=1, max_length=2_048)]
        | Tokens
        | Annotated[list[Tokens], Field(min_length=1)]
    )
    dimensions: int | None = Field(default=None, ge=1, le=3_072)
    encoding_format: Literal["float", "base64"] = "float"

    def texts(self) -> list[str]:
        """Return the texts; numbers stand for words."""
        if isinstance(self.input, str):
            return [self.input]
        if isinstance(self.input[0], int):
            return [" ".join(map(str, self.input))]
        return [each if isinstance(each, str) else " ".join(map(str, _numbers(each))) for each in self.input]


def embeddings(asked: AskedEmbeddings) -> Json:
    """Return the answer of the embeddings API."""
    size = asked.dimensions or _DIMENSIONS.get(asked.model, _USUAL_DIMENSIONS)
    vectors = [vector(text, size) for text in asked.texts()]
    tokens = sum(count_tokens(text) for text in asked.texts())
    return {
        "object": "list",
        "model": asked.model,
        "data": [
            {"object": "embedding", "index": index, "embedding": _encoded(each, asked.encoding_format)}
            for index, each in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def vector(text: str, size: int) -> list[float]:
    """Return a vector of length 1: each word, and each of its parts, adds to the place that its hash names."""
    sums = [0.0] * size
    for feature, weight in _features(text):
        digest = int.from_bytes(blake2b(feature.encode(), digest_size=8).digest(), "big")
        sums[(digest >> 1) % size] += weight if digest & 1 else -weight
    length = math.sqrt(sum(each * each for each in sums))
    return [each / length for each in sums] if length else [1.0, *sums[1:]]


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in words(text):
        yield word, 1.0
        for start in range(len(word) - _GRAM + 1):
            yield f"*{word[start : start + _GRAM]}", _GRAM_WEIGHT


def _encoded(numbers: list[float], encoding: str) -> list[float] | str:
    # The provider sends 32-bit little-endian floats; array uses the machine's order, which is that one wherever
    # Towpath runs.
    return numbers if encoding == "float" else base64.b64encode(array("f", numbers).tobytes()).decode()


def _numbers(tokens: object) -> list[int]:
    if not isinstance(tokens, list):
        raise BadRequest("Invalid value for 'input': texts and tokens are mixed.", param="input")
    return tokens
