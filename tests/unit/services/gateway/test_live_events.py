"""What is sent to those who follow runs."""

from collections.abc import AsyncGenerator

import orjson
import pytest

from services.gateway.live_events import begin, lines, sent
from services.gateway.live_feed import Gap, Heard, LiveFeed
from services.gateway.problems import RequestInvalid
from shared.domain.run_feed import Position, Told
from shared.errors import MessagingUnavailable
from shared.messaging.run_event_stream import RunEventStream

HERE = Position(1_000, 7)


def fact(sequence: int, type: str) -> Told:
    return Told(sequence, "runevent.acme.ada.noter.run_1", type, orjson.dumps({"type": type}).decode())


@pytest.mark.parametrize(
    ("type", "name"),
    [
        ("run.queued", "background_agent_status"),
        ("run.started", "background_task_started"),
        ("run.completed", "background_task_completed"),
        ("run.failed", "background_task_error"),
        ("run.cancelled", "background_agent_status"),
    ],
)
def test_each_type_has_its_name_and_keeps_its_own_in_the_data(type: str, name: str) -> None:
    expected = f'event: {name}\ndata: {{"type":"{type}"}}\nid: 1000-7\n\n'

    assert sent(Heard(HERE, [fact(7, type)])).decode() == expected


def test_each_event_has_its_own_place() -> None:
    text = sent(Heard(HERE, [fact(4, "run.queued"), fact(6, "run.started")])).decode()

    assert [line for line in text.splitlines() if line.startswith("id:")] == ["id: 1000-4", "id: 1000-6"]


def test_quiet_is_a_comment_that_moves_the_place_on() -> None:
    assert sent(Heard(HERE)) == b": keep-alive\nid: 1000-7\n\n"


@pytest.mark.parametrize("gap", Gap)
def test_a_gap_is_told_with_its_reason(gap: Gap) -> None:
    event, data, place = sent(Heard(Position(2_000, 0), gap=gap)).decode().splitlines()[:3]

    assert (event, place) == ("event: resync", "id: 2000-0")
    assert orjson.loads(data.removeprefix("data: "))["reason"] == gap


async def test_what_is_no_id_is_refused() -> None:
    with pytest.raises(RequestInvalid, match="Last-Event-ID"):
        await begin(LiveFeed(RunEventStream()), "yesterday")


async def test_an_id_is_taken_without_asking_anybody() -> None:
    assert await begin(LiveFeed(RunEventStream()), "1000-7") == HERE


async def test_nobody_follows_while_nats_is_away() -> None:
    with pytest.raises(MessagingUnavailable):
        await begin(LiveFeed(RunEventStream()), None)


class _Cut(LiveFeed):
    """A feed that breaks after the first fact."""

    async def follow(
        self, after: Position, pattern: str, quiet_seconds: float, longest_seconds: float
    ) -> AsyncGenerator[Heard, None]:
        yield Heard(HERE, [fact(7, "run.queued")])
        raise MessagingUnavailable("NATS does not answer.")


async def test_an_answer_that_has_begun_ends_when_nats_goes_away() -> None:
    sent_lines = [line async for line in lines(_Cut(RunEventStream()), Position(1_000, 3), "runevent.>", 60)]

    assert sent_lines[0] == b"id: 1000-3\nretry: 1000\n\n"
    assert len(sent_lines) == 2
