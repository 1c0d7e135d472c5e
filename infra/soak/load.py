"""A backend and its people: events at a steady pace, cancels, and decisions about what waits for one."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import orjson

from infra.soak.events import REFUSED, Kind, Sent

_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
_EVENT: Final = {"Content-Type": "application/cloudevents+json"}
_JSON: Final = {"Content-Type": "application/json"}
_PAGE: Final = 200
_MOST_AT_ONCE: Final = 16
_OK: Final = range(200, 300)


class Refused(Exception):
    """The gateway answered what it should not, so the weeks mean nothing; `code` is that of its problem, if it had one."""

    def __init__(self, message: str, code: str | None) -> None:
        super().__init__(message)
        self.code = code


class Load:
    """Talks to one gateway with one token; `counts` says what it did."""

    def __init__(self, gateway_url: str, token: str) -> None:
        self.counts: Counter[str] = Counter()
        self._url = gateway_url
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT,
            # Given up long before the gateway would close it, perhaps just when it is used again.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=1.0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def have_refused(self, model_url: str) -> None:
        """Have the offline model refuse, for good, what is marked for that."""
        faults = [{"kind": "400", "times": 1_000_000, "match": REFUSED}]
        async with self._session.post(f"{model_url}/faults", data=orjson.dumps(faults), headers=_JSON) as answer:
            answer.raise_for_status()

    async def publish(self, events: Iterator[Sent], per_second: float, is_over: asyncio.Event) -> None:
        """Publish at this pace until it is over, then wait for the last answers; what was late is not made up for."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        room = asyncio.Semaphore(_MOST_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as tasks:
                for sent in events:
                    due = max(due + 1 / per_second, loop.time())
                    await asyncio.sleep(due - loop.time())
                    await room.acquire()
                    if is_over.is_set():
                        return
                    tasks.create_task(self._publish(sent)).add_done_callback(lambda _: room.release())
        except BaseExceptionGroup as failures:
            # Of many requests that fail alike, the first says it.
            raise failures.exceptions[0] from failures

    async def _publish(self, sent: Sent) -> None:
        answer = await self._post("/api/events", sent.body, _EVENT)
        self.counts[sent.kind] += 1
        if sent.kind is Kind.CANCELLED:
            for run in answer["agent_runs"]:
                await self._post(f"/api/agent-runs/{run['id']}/cancel", b"{}", _JSON)

    async def decide(self, every_seconds: float) -> None:
        """Decide whatever waits for a person, now and then, until cancelled."""
        while True:
            await asyncio.sleep(every_seconds)
            await self.decide_all()

    async def decide_all(self) -> None:
        """Discard every dead letter, and reject every proposal that is pending now."""
        everything = orjson.dumps({"everything": True, "limit": 1_000, "reason": "Nobody needs it."})
        while discarded := (await self._post("/api/dead-letters/discard", everything, _JSON))["discarded"]:
            self.counts["dead letters discarded"] += discarded
        pending = f"/api/proposals?status=pending&all_users=true&limit={_PAGE}"
        while proposals := (await self._get(pending))["proposals"]:
            await asyncio.gather(*(self._reject(proposal["id"]) for proposal in proposals))
            if len(proposals) < _PAGE:
                return

    async def _reject(self, proposal_id: str) -> None:
        try:
            await self._post(f"/api/proposals/{proposal_id}/reject", b"{}", _JSON)
        except Refused as refused:
            # A newer proposal has taken its place since it was listed.
            if refused.code != "proposal_decided":
                raise
            self.counts["proposals decided meanwhile"] += 1
        else:
            self.counts["proposals rejected"] += 1

    async def _get(self, path: str) -> dict[str, Any]:
        async with self._session.get(self._url + path) as answer:
            return await _read(answer)

    async def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        async with self._session.post(self._url + path, data=body, headers=headers) as answer:
            return await _read(answer)


async def _read(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    body = await answer.read()
    if answer.status not in _OK:
        raise Refused(f"{answer.status} from {answer.url}: {body[:300].decode(errors='replace')}", _code(body))
    content: dict[str, Any] = orjson.loads(body)
    return content


def _code(body: bytes) -> str | None:
    try:
        problem = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    code = problem.get("code") if isinstance(problem, dict) else None
    return code if isinstance(code, str) else None
