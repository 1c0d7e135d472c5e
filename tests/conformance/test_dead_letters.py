"""What every place does that takes in messages that cannot be handled (`DeadLetters`): the fake, and the gate's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from infra.local.ports import free_port
from services.gating.dead_letters import EventDeadLetters
from shared.clock import utc_now
from shared.errors import Retryable
from shared.messaging.delivery import DeadLetters, Undeliverable
from shared.messaging.publisher import Publisher
from shared.settings import ServiceSettings
from shared.store.dead_letters import DeadLetterStore
from shared.store.events import EventStore
from shared.store.mongo import Mongo
from shared.testing.dead_letters import KeptLetters
from tests.support.servers import RunningServer

MESSAGE = Undeliverable("event.doc.created.acme", b"\xff no event", "event_unreadable", "Not JSON.")


@dataclass(frozen=True, slots=True)
class Places:
    """Makes a place that works, and one whose server is away."""

    working: Callable[[], DeadLetters]
    away: Callable[[], DeadLetters]


def _fake(*, is_away: bool) -> DeadLetters:
    letters = KeptLetters()
    letters.is_away = is_away
    return letters


def _real(opened: ExitStack, url: str, database: str) -> DeadLetters:
    mongo = Mongo(ServiceSettings(mongodb_url=url, mongodb_database=database, mongodb_timeout_seconds=2))
    opened.callback(mongo.close)
    return EventDeadLetters(mongo, DeadLetterStore(mongo.database), EventStore(mongo.database), Publisher(), utc_now)


@pytest.fixture(params=["fake", "real"])
def places(request: pytest.FixtureRequest) -> Iterator[Places]:
    if request.param == "fake":
        yield Places(lambda: _fake(is_away=False), lambda: _fake(is_away=True))
        return
    server: RunningServer = request.getfixturevalue("mongo_server")
    database: str = request.getfixturevalue("mongo_database")
    nobody = f"mongodb://127.0.0.1:{free_port()}/?replicaSet=towpath"
    with ExitStack() as opened:
        yield Places(lambda: _real(opened, server.url, database), lambda: _real(opened, nobody, database))


async def test_a_message_may_be_kept_again(places: Places) -> None:
    letters = places.working()

    await letters.keep(MESSAGE)
    await letters.keep(MESSAGE)


async def test_what_cannot_be_kept_now_may_be_kept_later(places: Places) -> None:
    with pytest.raises(Retryable):
        await places.away().keep(MESSAGE)
