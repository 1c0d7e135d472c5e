"""A watch keeps the configuration in memory as fresh as the database, whatever happens to the database."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from contracts.agents import Scope
from infra.local.mongo import MongoServer
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.settings import ServiceSettings
from shared.store.agents import AgentStore
from shared.store.bindings import BindingStore
from shared.store.mongo import Mongo
from shared.store.watch import ConfigurationWatch
from tests.support.processes import eventually
from tests.unit.shared.given import LATER, NOW, a_spec

NOTER = a_spec("noter", instructions="Take notes.")
SOON_SECONDS = 1.0


@asynccontextmanager
async def watching(mongo: Mongo, on_change: Callable[[], None] = lambda: None) -> AsyncIterator[Configuration]:
    watch = ConfigurationWatch(mongo.database)
    watch.tell(on_change)
    task = asyncio.create_task(watch.run())
    try:
        async with asyncio.timeout(20):
            await watch.is_loaded.wait()
        yield watch.configuration
    finally:
        task.cancel()
        await asyncio.wait([task])


def disabled(user: str) -> Binding:
    return Binding("acme", ScopeRef(Scope.USER, user), "noter", enabled=False)


def is_enabled(configuration: Configuration, user: str = "ada") -> bool:
    return configuration.effective(NOTER, "acme", "apollo", user).is_enabled


async def test_what_is_there_is_loaded_before_anybody_uses_it(mongo: Mongo) -> None:
    await AgentStore(mongo.database).seed(NOTER, NOW)
    await BindingStore(mongo.database).put(disabled("ada"))

    async with watching(mongo) as configuration:
        assert configuration.agents_of("")["noter"].number == 1
        assert not is_enabled(configuration)
        assert is_enabled(configuration, "bob")


async def test_an_empty_database_is_loaded_too(mongo: Mongo) -> None:
    async with watching(mongo) as configuration:
        assert configuration.agents_of("") == {}


async def test_a_changed_binding_is_seen_within_a_second(mongo: Mongo) -> None:
    bindings = BindingStore(mongo.database)

    async with watching(mongo) as configuration:
        for enabled in (False, True, False):
            await bindings.put(Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", enabled=enabled))
            put_at = time.monotonic()
            await eventually(lambda enabled=enabled: is_enabled(configuration) is enabled)  # type: ignore[misc]  # bound
            assert time.monotonic() - put_at < SOON_SECONDS


async def test_a_new_version_of_an_agent_is_seen(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    await agents.seed(NOTER, NOW)

    async with watching(mongo) as configuration:
        await agents.publish(a_spec("noter", instructions="Take short notes."), "olga", LATER)

        await eventually(lambda: configuration.agents_of("")["noter"].number == 2)
        assert configuration.agents_of("")["noter"].spec.instructions == "Take short notes."


async def test_every_change_is_told(mongo: Mongo) -> None:
    changes: list[float] = []

    async with watching(mongo, lambda: changes.append(time.monotonic())) as configuration:
        told_at_first = len(changes)
        await BindingStore(mongo.database).put(disabled("ada"))
        await eventually(lambda: not is_enabled(configuration) and len(changes) > told_at_first)

    assert told_at_first == 1


async def test_it_survives_a_database_that_was_away_and_sees_what_changed_meanwhile(
    own_mongo_server: MongoServer,
) -> None:
    mongo = Mongo(ServiceSettings(mongodb_url=own_mongo_server.url, mongodb_timeout_seconds=1))
    async with watching(mongo) as configuration:
        await asyncio.to_thread(own_mongo_server.kill)
        assert is_enabled(configuration)

        await asyncio.to_thread(own_mongo_server.start)
        other = Mongo(ServiceSettings(mongodb_url=own_mongo_server.url))
        await BindingStore(other.database).put(disabled("ada"))
        other.close()

        await eventually(lambda: not is_enabled(configuration))
    mongo.close()
