"""The delivery policy on real messages: what ends how, and that nothing is lost on the way."""

import time
from collections.abc import Awaitable, Callable

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.errors import Permanent, Retryable
from shared.messaging.barrier import taken_by_server
from shared.messaging.delivery import MOST_DELIVERIES_OF_A_BUG, BatchDelivery
from shared.testing.dead_letters import KeptLetters
from tests.integration.messaging.looking import publish_events, state_of, take, until_settled
from tests.support.waiting import until_seen

Handle = Callable[[list[str]], Awaitable[None]]


class Unreadable(Permanent):
    """A message that cannot be parsed."""

    code = "unreadable"


def parse(message: Msg) -> str:
    text = message.data.decode()
    if text.startswith("poison"):
        raise Unreadable(f"'{text}' is poison.")
    return text


class Handler:
    """Keeps what it is given, and fails as it is told."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.errors: dict[str, Exception] = {}

    async def __call__(self, items: list[str]) -> None:
        self.batches.append(items)
        for item in items:
            if item in self.errors:
                raise self.errors[item]


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def letters() -> KeptLetters:
    return KeptLetters()


@pytest.fixture
def deliver(letters: KeptLetters, handler: Handler) -> BatchDelivery[str]:
    return BatchDelivery("event", parse, handler, letters)


async def pending(client: Client) -> int:
    await taken_by_server(client)
    return (await state_of(client)).num_ack_pending or 0


async def test_what_was_handled_is_acknowledged(client: Client, handler: Handler, deliver: BatchDelivery[str]) -> None:
    await publish_events(client, b"one", b"two", b"three")

    await deliver(await take(client, 3))

    await until_settled(client)
    assert handler.batches == [["one", "two", "three"]]


async def test_what_may_succeed_later_comes_back_when_the_other_side_said(
    client: Client, handler: Handler, deliver: BatchDelivery[str]
) -> None:
    await publish_events(client, b"one", b"two")
    handler.errors["two"] = Retryable("Too much.", retry_after_seconds=0.3)

    messages = await take(client, 2)
    given_back_at = time.monotonic()
    await deliver(messages)
    again = await take(client, 2)

    assert time.monotonic() - given_back_at >= 0.3
    assert handler.batches == [["one", "two"]]
    assert [message.metadata.num_delivered for message in again] == [2, 2]
    handler.errors.clear()
    await deliver(again)
    await until_settled(client)


async def test_without_such_a_wish_it_comes_back_after_half_a_second(
    client: Client, handler: Handler, deliver: BatchDelivery[str]
) -> None:
    await publish_events(client, b"one")
    handler.errors["one"] = Retryable("Not now.")

    (message,) = await take(client, 1)
    given_back_at = time.monotonic()
    await deliver([message])
    await take(client, 1)

    assert 0.45 <= time.monotonic() - given_back_at < 5


async def test_poison_is_kept_with_the_reason_and_the_others_are_handled(
    client: Client, handler: Handler, letters: KeptLetters, deliver: BatchDelivery[str]
) -> None:
    await publish_events(client, b"one", b"poison 1", b"two", b"poison 2")

    await deliver(await take(client, 4))

    await until_settled(client)
    assert handler.batches == [["one", "two"]]
    assert [(dead.payload, dead.code, dead.reason) for dead in letters.kept] == [
        (b"poison 1", "unreadable", "'poison 1' is poison."),
        (b"poison 2", "unreadable", "'poison 2' is poison."),
    ]
    assert {dead.subject for dead in letters.kept} == {"event.checkin.submitted.acme"}


async def test_poison_alone_is_nothing_to_handle(client: Client, handler: Handler, deliver: BatchDelivery[str]) -> None:
    await publish_events(client, b"poison")

    await deliver(await take(client, 1))

    await until_settled(client)
    assert handler.batches == []


async def test_poison_that_cannot_be_kept_is_not_lost(
    client: Client, letters: KeptLetters, deliver: BatchDelivery[str]
) -> None:
    letters.is_away = True
    await publish_events(client, b"poison")

    await deliver(await take(client, 1))

    (again,) = await take(client, 1)
    assert again.metadata.num_delivered == 2


async def test_a_bug_holds_up_only_the_message_that_causes_it(
    client: Client, handler: Handler, letters: KeptLetters, deliver: BatchDelivery[str]
) -> None:
    await publish_events(client, b"one", b"bad", b"two")
    handler.errors["bad"] = ValueError("off by one")

    await deliver(await take(client, 3))

    await until_seen(lambda: pending(client), lambda count: count == 1)
    assert handler.batches == [["one", "bad", "two"], ["one"], ["bad"], ["two"]]
    (again,) = await take(client, 1)
    assert (again.data, again.metadata.num_delivered) == (b"bad", 2)
    assert letters.kept == []


async def test_a_bug_that_is_mended_in_time_loses_nothing(
    client: Client, handler: Handler, letters: KeptLetters, deliver: BatchDelivery[str]
) -> None:
    await publish_events(client, b"bad")
    handler.errors["bad"] = ValueError("off by one")
    await deliver(await take(client, 1))

    handler.errors.clear()
    await deliver(await take(client, 1))

    await until_settled(client)
    assert letters.kept == []


async def test_a_bug_that_stays_ends_as_a_dead_letter_after_some_deliveries(
    client: Client, handler: Handler, letters: KeptLetters, deliver: BatchDelivery[str]
) -> None:
    await publish_events(client, b"bad")
    handler.errors["bad"] = ValueError("off by one")
    for _ in range(MOST_DELIVERIES_OF_A_BUG - 1):
        (message,) = await take(client, 1)
        await message.nak()

    await deliver(await take(client, 1))

    await until_settled(client)
    (dead,) = letters.kept
    assert (dead.payload, dead.code, dead.reason) == (b"bad", "internal", "ValueError: off by one")


async def test_while_isolating_what_may_succeed_later_still_comes_back(
    client: Client, handler: Handler, letters: KeptLetters
) -> None:
    await publish_events(client, b"later", b"bad", b"one")
    handler.errors = {"later": Retryable("Not now.", retry_after_seconds=0.0), "bad": ValueError("off by one")}

    async def handle(items: list[str]) -> None:
        if len(items) > 1:
            raise ValueError("off by one")
        await handler(items)

    await BatchDelivery("event", parse, handle, letters)(await take(client, 3))

    again = await take(client, 2)
    assert sorted(message.data for message in again) == [b"bad", b"later"]
    assert handler.batches == [["later"], ["bad"], ["one"]]
