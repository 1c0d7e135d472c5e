"""A client on each provider."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.providers import CLIENTS, ClientThat, on_aimock, on_the_offline_model, scripted


@pytest.fixture(params=CLIENTS)
async def client_that(request: pytest.FixtureRequest) -> AsyncIterator[ClientThat]:
    """Give a client whose calls meet the behaviours one after the other."""
    match request.param:
        case "scripted":
            yield scripted
        case "offline model":
            async with on_the_offline_model() as on_ours:
                yield on_ours
        case _:
            async with on_aimock(request.getfixturevalue("aimock_url")) as on_theirs:
                yield on_theirs
