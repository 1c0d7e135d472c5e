"""A reader of live events whose connection is cut again and again, while the gateway is restarted: nothing is lost."""

import asyncio
import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest

from services.cli.event_stream import Sent, events_in
from tests.support.caller import Caller
from tests.support.duration import LONG
from tests.support.events import event
from tests.support.load import publish_all
from tests.support.platform import Platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(300),
]

Document = dict[str, Any]

RUNS = 3_400 if LONG else 500
LIFE = ["run.queued", "run.started", "run.completed"]
CUT_SECONDS = (0.1, 0.4)
STARTED = "ticket.closed"


@dataclass(slots=True)
class Reader:
    """Follows the runs of everybody in an organisation, as somebody with a very bad connection."""

    caller: Caller
    heard: list[Sent] = field(default_factory=list)
    last_id: str | None = None
    connections: int = 0

    async def read(self) -> None:
        """Connect, listen until a moment after the first line, be cut off, and again."""
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                async with asyncio.timeout(None) as cut:
                    await self._listen(cut)

    async def _listen(self, cut: asyncio.Timeout) -> None:
        headers = {"Authorization": f"Bearer {self.caller.token}"}
        if self.last_id is not None:
            headers["Last-Event-ID"] = self.last_id
        url = f"{self.caller.gateway_url}/api/agent-runs/events?all_users=true"
        async with self.caller.session.get(url, headers=headers) as answer:
            answer.raise_for_status()
            begun = ""
            async for part in answer.content.iter_any():
                if cut.when() is None:
                    self.connections += 1
                    cut.reschedule(asyncio.get_running_loop().time() + random.uniform(*CUT_SECONDS))
                *whole, begun = (begun + part.decode()).split("\n\n")
                self._hear("".join(f"{block}\n\n" for block in whole))

    def _hear(self, text: str) -> None:
        for sent in events_in(text.split("\n"), self.last_id or ""):
            self.last_id = sent.id
            if sent.name:
                self.heard.append(sent)

    async def count(self) -> int:
        return len(self.heard)


async def publish_agent(platform: Platform, caller: Caller) -> None:
    """Publish an Agent of this organisation alone; when this returns, the gate knows it."""
    trigger = {"event": STARTED, "target": {"type": "thing", "id": "{id}"}}
    agent = {"key": "closer", "name": "Closer", "visibility": "organisation", "handler": "noop", "triggers": [trigger]}
    for path, document in (("/api/agents", agent), ("/api/agents/closer/publish", {})):
        answer = await caller.post(path, document)
        assert answer.status in {200, 201}, answer
    await platform.restart("gating")


def ticket(organisation: str) -> Document:
    return event(STARTED, organisation, {"ticket_id": "t-1", "title": "One of many", "status": "closed"})


async def test_a_reader_who_is_cut_off_all_the_time_hears_each_event_once_and_in_order(
    platform: Platform, organisation: str
) -> None:
    caller, reader = platform.caller(organisation), Reader(platform.caller(organisation))
    await publish_agent(platform, caller)
    reading = asyncio.create_task(reader.read())
    await until_seen(lambda: _connections(reader), bool)

    half = RUNS // 2
    answers = await publish_all(caller, [ticket(organisation) for _ in range(half)])
    _, others = await asyncio.gather(
        platform.restart("gateway"), publish_all(caller, [ticket(organisation) for _ in range(RUNS - half)])
    )
    assert {answer.status for answer in (*answers, *others)} == {202}
    await until_seen(reader.count, lambda count: count >= len(LIFE) * RUNS, timeout_seconds=120)
    await platform.settled()
    reading.cancel()

    heard = [orjson.loads(sent.data) for sent in reader.heard]
    lives = defaultdict(list)
    for each in heard:
        lives[each["data"]["run_id"]].append(each["type"])
    assert len({each["id"] for each in heard}) == len(heard) == len(LIFE) * RUNS
    assert sorted(reader.heard, key=lambda sent: int(sent.id.partition("-")[2])) == reader.heard
    assert [life for life in lives.values() if life != LIFE] == []
    assert reader.connections > 5


async def _connections(reader: Reader) -> int:
    return reader.connections
