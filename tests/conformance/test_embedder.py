"""What every `Embedder` does: the one of the tests, and the adapter on the offline model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from infra.offline_model.server import serving
from shared.clock import utc_now
from shared.errors import AppError
from shared.llm import errors
from shared.llm.openai_client import OpenAIModel
from shared.llm.port import Embedder
from shared.retrieval.vectors import cosine, encoded
from shared.testing.embedder import WordEmbedder
from tests.support.model import Model

TEXTS = ["The export of invoices is late.", "Kitchen plants need water.", "Invoices: the export is late again."]
FAILURES = {
    "429": errors.ModelRateLimited,
    "500": errors.ModelUnavailable,
    "400": errors.ModelRequestRefused,
    "401": errors.ModelAuthFailed,
    "slow": errors.ModelTimedOut,
    "cut": errors.ModelUnavailable,
}


@asynccontextmanager
async def _offline() -> AsyncIterator[tuple[OpenAIModel, Model]]:
    async with serving() as address, aiohttp.ClientSession() as session:
        provider = OpenAIModel("sk-very-secret-key", f"{address}/v1", utc_now)
        yield provider, Model(session, address)
        await provider.close()


@pytest.fixture
async def offline() -> AsyncIterator[tuple[OpenAIModel, Model]]:
    async with _offline() as both:
        yield both


@pytest.fixture(params=["words", "offline model"])
async def embedder(request: pytest.FixtureRequest) -> AsyncIterator[Embedder]:
    if request.param == "words":
        yield WordEmbedder()
        return
    async with _offline() as (provider, _):
        yield provider.embedder("offline-embedding", 256)


async def test_vectors_come_in_the_order_of_the_texts_and_have_one_length(embedder: Embedder) -> None:
    together = await embedder.embed(TEXTS, 10.0)
    alone = [(await embedder.embed([text], 10.0)).vectors[0] for text in TEXTS]

    assert list(together.vectors) == alone
    assert len({len(vector) for vector in alone}) == 1
    assert together.usage.input_tokens > 0


async def test_texts_that_share_words_are_nearer_than_others(embedder: Embedder) -> None:
    one, other, again = (encoded(vector) for vector in (await embedder.embed(TEXTS, 10.0)).vectors)

    assert cosine(one, again) > cosine(one, other)


async def test_space_names_the_model_and_the_dimensions(offline: tuple[OpenAIModel, Model]) -> None:
    provider, _ = offline

    assert provider.embedder("m", 256).space == "m/256"
    assert provider.embedder("m", 0).space != provider.embedder("m", 256).space
    assert len((await provider.embedder("offline-embedding", 64).embed(["x"], 10.0)).vectors[0]) == 64


@pytest.mark.parametrize("kind", FAILURES)
async def test_failures_are_told_in_the_words_of_the_port(offline: tuple[OpenAIModel, Model], kind: str) -> None:
    provider, model = offline
    await model.have_faults({"kind": kind, "seconds": 60} if kind == "slow" else {"kind": kind})

    with pytest.raises(AppError, match=r"[Mm]odel 'offline-embedding'|offline-embedding") as failure:
        await provider.embedder("offline-embedding", 64).embed(["secret text"], 0.3 if kind == "slow" else 10.0)

    assert type(failure.value) is FAILURES[kind]
    assert "secret text" not in failure.value.message
