"""Ended runs are mirrored once for users who have connected, whatever fails on the way, and what fails is to be seen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp
from cryptography.fernet import Fernet
from pydantic import SecretStr

from services.scheduler.leader import Leader
from services.scheduler.open_webui.sweep import Mirroring, make_mirroring
from shared.domain.configuration import Configuration
from shared.domain.event import accepted_event
from shared.domain.run import Claim, RunStatus
from shared.sealing import Sealer
from shared.settings import SchedulerSettings
from shared.store.events import EventStore
from shared.store.leases import LeaseStore
from shared.store.mongo import Document, Mongo
from shared.store.open_webui import MOST_KEPT, Connection, ConnectionStatus, OpenWebUIStore, connection_id
from shared.store.steps import Intent, StepStore
from tests.support.open_webui import KEY, FakeOpenWebUI, an_open_webui
from tests.unit.shared.given import NOW, a_new_run, a_spec, a_stored_run, a_version, an_event

SEAL = Fernet.generate_key().decode()
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
CONFIGURATION = Configuration()
CONFIGURATION.replace_agents([a_version(a_spec("noter"))])


@dataclass(slots=True)
class Site:
    """A scheduler's mirroring, the server it talks to, and a clock that the test sets."""

    mongo: Mongo
    mirroring: Mirroring
    fake: FakeOpenWebUI
    now: list[datetime]

    @property
    def store(self) -> OpenWebUIStore:
        return self.mirroring.store

    async def connect(self, user: str = "ada", key: str = KEY) -> Connection:
        sealed = Sealer([SEAL]).seal(key, connection_id("acme", user))
        return await self.store.connect("acme", user, sealed, key[-4:], self.now[0])

    async def ended(self, run_id: str, after: timedelta = MINUTE, **changes: object) -> None:
        at = NOW + after
        run = a_stored_run(RunStatus.COMPLETED, a_new_run(run_id), changed_at=at, finished_at=at)
        await self.mongo.database["runs"].insert_one({**run, **changes})

    async def sweep(self, at: timedelta) -> Connection:
        self.now[0] = NOW + at
        async with aiohttp.ClientSession() as session:
            await self.mirroring.sweep(session)
        connection = await self.store.of_user("acme", "ada")
        assert connection is not None
        return connection


@asynccontextmanager
async def site_of(mongo: Mongo) -> AsyncIterator[Site]:
    fake, now = FakeOpenWebUI(), [NOW]
    async with an_open_webui(fake) as url:
        settings = SchedulerSettings(open_webui_url=url, credentials_key=SecretStr(SEAL))
        leader = Leader(LeaseStore(mongo.database), "one", 3)
        mirroring = make_mirroring(settings, mongo.database, CONFIGURATION, leader, lambda: now[0])
        assert mirroring is not None
        yield Site(mongo, mirroring, fake, now)


async def test_what_ends_after_the_connection_is_mirrored_once_and_nothing_else(mongo: Mongo) -> None:
    async with site_of(mongo) as site:
        await site.connect()
        await site.ended("run_before", -MINUTE)
        await site.ended("run_mine")
        await site.ended("run_bobs", user="bob")
        await site.ended("run_elsewhere", organisation="harbour")
        await site.ended("run_replayed", replay={"of": "run_mine"})
        await site.ended("run_cancelled", status=RunStatus.CANCELLED)

        first = await site.sweep(2 * MINUTE)
        second = await site.sweep(4 * MINUTE)

        (chat,) = site.fake.chats.values()
        assert first.chats == second.chats == {"run_mine": chat["id"]}
        assert (second.status, second.failure) == (ConnectionStatus.CONNECTED, None)
        assert chat["title"] == "Noter - 2026-11-20"


async def test_a_chat_has_what_started_the_run_and_what_was_said(mongo: Mongo) -> None:
    told = an_event(data={"today": "The export."})
    event = accepted_event(told, told.to_json().decode(), NOW)
    await EventStore(mongo.database).accept([event])
    claim, steps = Claim("run_1", 1, "runner-1"), StepStore(mongo.database)
    await steps.intend(Intent(claim, 0, "model_call", "fast-1", "hash", NOW))
    await steps.finish(claim, 0, NOW, {"text": '{"coaching":"Ask Mara."}', "usage": {}})
    async with site_of(mongo) as site:
        await site.connect()
        await site.ended("run_1", event_key=event.key)

        await site.sweep(2 * MINUTE)

        (chat,) = site.fake.chats.values()
        asked, answered, *_ = [message["content"] for message in chat["chat"]["messages"]]
        assert "**Today**\nThe export." in asked
        assert answered == "**Coaching**\nAsk Mara."


async def test_two_that_lead_at_once_make_one_chat(mongo: Mongo) -> None:
    async with site_of(mongo) as site:
        await site.connect()
        await site.ended("run_1")

        await asyncio.gather(*(site.sweep(2 * MINUTE) for _ in range(3)))

        assert len(site.fake.chats) == 1


async def test_more_runs_than_are_noted_are_still_mirrored_once(mongo: Mongo) -> None:
    async with site_of(mongo) as site:
        connection = await site.connect()
        for number in range(MOST_KEPT + 1):
            run = {"_id": f"run_{number:03}", "finished_at": NOW + number * SECOND}
            await site.store.record(connection, run, f"chat-{number}", NOW)
        await site.ended("run_000", 0 * SECOND)
        await site.ended("run_001", 1 * SECOND)
        await site.ended("run_later", (MOST_KEPT + 1) * SECOND)

        await site.sweep(10 * MINUTE)

        assert [chat["chat"]["towpath"]["run_id"] for chat in site.fake.chats.values()] == ["run_later"]


async def test_an_end_that_was_written_late_is_mirrored_all_the_same(mongo: Mongo) -> None:
    async with site_of(mongo) as site:
        await site.connect()
        await site.ended("run_late_moment", 9 * MINUTE)
        await site.sweep(10 * MINUTE)
        await site.ended("run_late_write", 5 * MINUTE)

        connection = await site.sweep(11 * MINUTE)

        assert set(connection.chats) == {"run_late_moment", "run_late_write"}


async def test_a_revoked_key_stops_mirroring_visibly_until_the_user_tests_it(mongo: Mongo) -> None:
    async with site_of(mongo) as site:
        await site.connect()
        await site.sweep(MINUTE)
        site.fake.keys.clear()
        await site.ended("run_1", 2 * MINUTE)

        revoked = await site.sweep(3 * MINUTE)
        asked = len(site.fake.asked)
        await site.sweep(30 * MINUTE)
        left_alone = len(site.fake.asked)
        site.fake.keys.add(KEY)
        await site.store.test("acme", "ada", NOW + 31 * MINUTE)
        restored = await site.sweep(31 * MINUTE)

        assert revoked.status is ConnectionStatus.FAILED
        assert failure_of(revoked)["code"] == "open_webui_key_refused"
        assert asked == left_alone
        assert (restored.status, restored.failure, set(restored.chats)) == (ConnectionStatus.CONNECTED, None, {"run_1"})


async def test_an_error_of_open_webui_is_tried_again_later(mongo: Mongo) -> None:
    async with site_of(mongo) as site:
        await site.connect()
        await site.ended("run_1")
        site.fake.refusals.append(503)

        failed = await site.sweep(2 * MINUTE)
        too_soon = await site.sweep(2 * MINUTE + timedelta(seconds=4))
        done = await site.sweep(2 * MINUTE + timedelta(seconds=5))

        assert (failed.status, failed.attempts) == (ConnectionStatus.RETRYING, 1)
        assert failure_of(failed)["code"] == "open_webui_unavailable"
        assert too_soon.chats == {}
        assert (done.status, done.attempts, done.failure) == (ConnectionStatus.CONNECTED, 0, None)
        assert set(done.chats) == {"run_1"}


async def test_a_chat_that_was_created_and_not_recorded_is_found_again(mongo: Mongo) -> None:
    async with site_of(mongo) as site:
        await site.connect()
        await site.ended("run_1")
        site.fake.lost.append("/api/v1/chats/new")
        await site.sweep(2 * MINUTE)

        connection = await site.sweep(3 * MINUTE)

        assert connection.chats == {"run_1": next(iter(site.fake.chats))}
        assert len(site.fake.chats) == 1


async def test_a_run_that_is_refused_holds_up_no_other_and_is_to_be_seen(mongo: Mongo) -> None:
    async with site_of(mongo) as site:
        await site.connect()
        await site.sweep(MINUTE)
        await site.ended("run_1", 2 * MINUTE)
        await site.ended("run_2", 3 * MINUTE)
        site.fake.refusals.append(413)

        connection = await site.sweep(4 * MINUTE)

        assert (connection.status, failure_of(connection)["run_id"]) == (ConnectionStatus.CONNECTED, "run_1")
        assert connection.chats["run_1"] is None
        assert connection.chats["run_2"] in site.fake.chats


async def test_who_connects_again_meanwhile_is_left_to_the_new_connection(mongo: Mongo) -> None:
    async with site_of(mongo) as site:
        old = await site.connect()
        site.now[0] = NOW + MINUTE
        await site.connect(key="sk-another-key-of-ada")

        is_recorded = await site.store.record(old, {"_id": "run_1", "finished_at": NOW}, "chat-1", NOW)

        assert not is_recorded
        assert (await site.sweep(2 * MINUTE)).status is ConnectionStatus.FAILED


def test_without_an_open_webui_nothing_is_mirrored(mongo: Mongo) -> None:
    leader = Leader(LeaseStore(mongo.database), "one", 3)

    assert make_mirroring(SchedulerSettings(), mongo.database, CONFIGURATION, leader, lambda: NOW) is None


def failure_of(connection: Connection) -> Document:
    assert connection.failure is not None
    return connection.failure
