"""Whoever decides during the simulated weeks, before a gateway on which others decide, too."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from infra.soak.load import Load, Refused


class _Gateway:
    """Has two proposals that wait, of which the second is refused as `answer` says."""

    def __init__(self) -> None:
        self.answer = web.json_response({})

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/dead-letters/discard", self._discarded)
        app.router.add_get("/api/proposals", self._pending)
        app.router.add_post("/api/proposals/prp_1/reject", self._rejected)
        app.router.add_post("/api/proposals/prp_2/reject", self._refused)
        return app

    async def _discarded(self, request: web.Request) -> web.Response:
        return web.json_response({"discarded": 0})

    async def _pending(self, request: web.Request) -> web.Response:
        return web.json_response({"proposals": [{"id": "prp_1"}, {"id": "prp_2"}]})

    async def _rejected(self, request: web.Request) -> web.Response:
        return web.json_response({})

    async def _refused(self, request: web.Request) -> web.Response:
        return self.answer


@pytest.fixture
def gateway() -> _Gateway:
    return _Gateway()


@pytest.fixture
async def load(gateway: _Gateway) -> AsyncIterator[Load]:
    async with TestServer(gateway.app()) as server, Load(str(server.make_url("")).rstrip("/"), "token") as load:
        yield load


async def test_a_proposal_whose_place_a_newer_one_took_is_left_alone(gateway: _Gateway, load: Load) -> None:
    gateway.answer = web.json_response({"code": "proposal_decided"}, status=409)

    await load.decide_all()

    assert load.counts == {"proposals rejected": 1, "proposals decided meanwhile": 1}


@pytest.mark.parametrize(
    ("status", "body"), [(409, '{"code": "proposal_stale"}'), (500, "Not JSON."), (500, '["no problem"]'), (403, "{}")]
)
async def test_any_other_refusal_ends_the_weeks_and_is_shown(
    gateway: _Gateway, load: Load, status: int, body: str
) -> None:
    gateway.answer = web.Response(status=status, text=body)

    with pytest.raises(Refused, match=f"^{status} from .*/prp_2/reject: "):
        await load.decide_all()
