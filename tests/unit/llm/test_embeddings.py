"""Reading the answers of the embeddings API, and keeping to the limits of its lane."""

from array import array
from base64 import b64encode
from typing import Any

import orjson
import pytest

from shared.domain.rate import Busy, Go
from shared.llm.errors import ModelAnswerMalformed, ModelLaneBusy, ModelRateLimited
from shared.llm.openai_embeddings import read_embeddings
from shared.llm.paced import PacedEmbedder
from shared.llm.port import Embeddings, Usage
from shared.testing.embedder import WordEmbedder
from tests.unit.llm.test_paced import Lanes

HALF = b64encode(array("f", [0.5, -0.5]).tobytes()).decode()
TEXTS = ["one two three four", "five"]


def body(*embeddings: Any, **changes: Any) -> bytes:
    data = [{"index": index, "embedding": each} for index, each in enumerate(embeddings)]
    return orjson.dumps({"data": data, "usage": {"prompt_tokens": 7, "total_tokens": 7}} | changes)


def test_vectors_are_read_from_base64_and_from_numbers() -> None:
    assert read_embeddings(body(HALF, [1, 0]), 2, "m") == Embeddings(((0.5, -0.5), (1.0, 0.0)), Usage(7, 0))


def test_order_is_that_of_the_index() -> None:
    data = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]

    assert read_embeddings(body(data=data), 2, "m").vectors == ((1.0,), (2.0,))


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b"[]",
        body(HALF),
        body(HALF, [1.0]),
        body([], []),
        body("not base64!", HALF),
        body(b64encode(b"odd").decode(), HALF),
        body(HALF, HALF, usage=None),
        body(HALF, ["x", "y"]),
    ],
)
def test_what_is_no_list_of_vectors_is_malformed(content: bytes) -> None:
    with pytest.raises(ModelAnswerMalformed, match="embedding model 'm'"):
        read_embeddings(content, 2, "m")


async def test_call_reserves_its_tokens_and_settles_what_it_used() -> None:
    lanes = Lanes(Go())

    found = await PacedEmbedder(WordEmbedder(), lanes, "api.example.com", "m").embed(TEXTS, 1.0)

    assert lanes.reserved == [("api.example.com/m", 5)]
    assert lanes.unused == [5 - found.usage.input_tokens]


async def test_without_room_nothing_is_embedded() -> None:
    embedder = WordEmbedder()

    with pytest.raises(ModelLaneBusy):
        await PacedEmbedder(embedder, Lanes(Busy(9.0)), "api.example.com", "m").embed(TEXTS, 1.0)
    assert embedder.calls == []


async def test_rate_limit_closes_the_lane_and_returns_the_tokens() -> None:
    class Limited(WordEmbedder):
        async def embed(self, texts: Any, timeout_seconds: float) -> Embeddings:
            raise ModelRateLimited("Too many.", retry_after_seconds=3.0)

    lanes = Lanes(Go())

    with pytest.raises(ModelRateLimited):
        await PacedEmbedder(Limited(), lanes, "api.example.com", "m").embed(TEXTS, 1.0)
    assert (lanes.unused, lanes.refusals) == ([5], [3.0])
