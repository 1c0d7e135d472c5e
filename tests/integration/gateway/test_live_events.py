"""Live events over HTTP: who hears what, and how it goes on."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio
import uvicorn
from nats.aio.client import Client

from contracts.subjects import run_event_subject
from infra.local.ports import free_port
from infra.local.tokens import mint
from services.cli.event_stream import Sent, events_in
from services.gateway.app import create_app
from shared.domain.run import RunStatus
from shared.domain.run_event import run_event
from shared.messaging.publisher import Publisher
from shared.settings import GatewaySettings
from shared.store.mongo import Mongo
from tests.integration.gateway.asking import SECRET
from tests.integration.messaging.conftest import client
from tests.support.duration import LONG
from tests.support.servers import RunningServer
from tests.unit.shared.given import a_new_run, a_stored_run

__all__ = ["client"]

SOON_SECONDS = 60
RUNS = 3_400 if LONG else 200
LIFE = ["run.queued", "run.started", "run.completed"]


@pytest.fixture
def settings(mongo: Mongo, mongo_server: RunningServer, mongo_database: str, clean_nats: str) -> GatewaySettings:
    return GatewaySettings(
        mongodb_url=mongo_server.url, mongodb_database=mongo_database, nats_url=clean_nats, auth_jwt_secret=SECRET
    )


@asynccontextmanager
async def served(settings: GatewaySettings) -> AsyncIterator[str]:
    """Yield the address of a gateway that is served by this process."""
    app = create_app(settings)
    config = uvicorn.Config(app, port=free_port(), log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    yield f"http://127.0.0.1:{config.port}"
    app.state.gateway.live.close()
    server.should_exit = True
    await serving


@pytest_asyncio.fixture
async def url(settings: GatewaySettings, client: Client) -> AsyncIterator[str]:
    """Yield the address of a gateway."""
    async with served(settings) as url:
        yield url


@asynccontextmanager
async def listening(
    url: str, path: str, *roles: str, after: str = "start", organisation: str = "acme"
) -> AsyncIterator[AsyncIterator[Sent]]:
    """Yield what somebody hears; it is asked again until the gateway is ready."""
    headers = {"Authorization": f"Bearer {mint(SECRET, organisation, 'ada', roles)}", "Last-Event-ID": after}
    async with aiohttp.ClientSession() as session, asyncio.timeout(SOON_SECONDS):
        while True:
            try:
                async with session.get(f"{url}{path}", headers=headers) as answer:
                    if answer.status == 200:
                        yield _heard(answer.content)
                        return
                    assert answer.status == 503, await answer.text()
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.01)


async def _heard(content: aiohttp.StreamReader) -> AsyncIterator[Sent]:
    while block := await content.readuntil(b"\n\n"):
        for sent in events_in(block.decode().split("\n")):
            yield sent


async def _named(events: AsyncIterator[Sent]) -> AsyncIterator[Sent]:
    """Leave out what is there for its place alone."""
    async for sent in events:
        if sent.name:
            yield sent


async def tell(client: Client, run_id: str, user: str = "ada", organisation: str = "acme") -> None:
    subject = run_event_subject(organisation, user, "noter", run_id)
    await client.jetstream().publish(subject, orjson.dumps({"type": "run.started", "data": {"run_id": run_id}}))


async def heard(events: AsyncIterator[Sent], count: int) -> list[tuple[str, str]]:
    """Return the names and runs of the next events, and the place of the last one."""
    found: list[Sent] = []
    while len(found) < count:
        sent = await anext(events)
        found += [sent] if sent.name else []
    return [(each.name, orjson.loads(each.data)["data"]["run_id"]) for each in found]


def lives_in(told: list[dict[str, Any]]) -> list[list[str]]:
    """Return what was told of each run, in order."""
    lives = defaultdict[str, list[str]](list)
    for each in told:
        lives[each["data"]["run_id"]].append(each["type"])
    return list(lives.values())


async def test_a_user_hears_of_the_own_runs_and_a_backend_of_all_of_its_organisation(url: str, client: Client) -> None:
    for user, organisation in (("ada", "other"), ("bob", "acme"), ("ada", "acme")):
        await tell(client, f"run_{user}_{organisation}", user, organisation)
    started = "background_task_started"

    async with listening(url, "/api/agent-runs/events") as events:
        assert await heard(events, 1) == [(started, "run_ada_acme")]
        await tell(client, "run_bob_later", "bob")
        await tell(client, "run_ada_later")
        assert await heard(events, 1) == [(started, "run_ada_later")]
    async with listening(url, "/api/agent-runs/events?all_users=true", "backend") as events:
        assert [run_id for _, run_id in await heard(events, 4)] == [
            "run_bob_acme", "run_ada_acme", "run_bob_later", "run_ada_later",
        ]  # fmt: skip


async def test_one_run_is_told_from_its_beginning_and_only_to_those_who_see_it(
    url: str, client: Client, mongo: Mongo
) -> None:
    await mongo.database["runs"].insert_one(a_stored_run(run=a_new_run("run_1")))
    for run_id in ("run_2", "run_1"):
        await tell(client, run_id)

    async with listening(url, "/api/agent-runs/run_1/events", after="") as events:
        assert [run_id for _, run_id in await heard(events, 1)] == ["run_1"]
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {mint(SECRET, 'other', 'ada', ('server_admin',))}"}
        async with session.get(f"{url}/api/agent-runs/run_1/events", headers=headers) as answer:
            assert answer.status == 404


async def test_whoever_is_cut_off_before_the_first_event_misses_none(url: str, client: Client) -> None:
    async with listening(url, "/api/agent-runs/events", after="") as events:
        place = (await anext(events)).id
    await tell(client, "run_1")

    async with listening(url, "/api/agent-runs/events", after=place) as events:
        assert [run_id for _, run_id in await heard(events, 1)] == ["run_1"]


async def test_a_reader_cut_off_again_and_again_and_by_a_restart_hears_each_fact_once_and_in_order(
    settings: GatewaySettings, client: Client
) -> None:
    publisher, chance, found = Publisher(), random.Random(7), list[Sent]()
    publisher.attach(client)
    lives = [
        [run_event(a_stored_run(status, a_new_run(f"run_{number}"))) for number in range(RUNS)]
        for status in (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.COMPLETED)
    ]

    async def publish() -> None:
        for facts in zip(*lives, strict=True):
            assert await publisher.run_events_confirmed(facts)

    async def listen(url: str, until: int) -> None:
        """Hear some of it and go away, until so much has been heard."""
        while len(found) < until:
            path, end = "/api/agent-runs/events?all_users=true", min(until, len(found) + chance.randint(1, 60))
            async with listening(url, path, "backend", after=found[-1].id if found else "start") as events:
                async for sent in _named(events):
                    found.append(sent)
                    if len(found) >= end:
                        break

    publishing = asyncio.create_task(publish())
    for until in (len(LIFE) * RUNS // 3, len(LIFE) * RUNS):
        async with served(settings) as url:
            await listen(url, until)
    await publishing

    told = [orjson.loads(sent.data) for sent in found]
    assert len({each["id"] for each in told}) == len(told) == len(LIFE) * RUNS
    sequences = [int(sent.id.partition("-")[2]) for sent in found]
    assert sequences == sorted(sequences)
    assert lives_in(told) == [LIFE] * RUNS
