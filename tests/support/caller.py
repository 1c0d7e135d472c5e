"""Somebody who talks to the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
import orjson

from tests.support.waiting import until_seen

ONE_EVENT = "application/cloudevents+json"
EVENT_BATCH = "application/cloudevents-batch+json"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway answered; `body` is its JSON, or None when it is empty."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The code of a problem document."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        assert self.body["status"] == self.status, self
        assert self.body["type"] == f"urn:towpath:problem:{self.body['code']}", self
        return str(self.body["code"])


@dataclass(frozen=True, slots=True)
class Caller:
    """The bearer of one token, or of none."""

    session: aiohttp.ClientSession
    gateway_url: str
    token: str | None

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and read the whole answer."""
        authorization = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        sent = None if body is None else BytesIO(body)
        async with self.session.request(
            method, self.gateway_url + path, params=query, data=sent, headers={**authorization, **(headers or {})}
        ) as answer:
            raw = await answer.read()
            return Answer(answer.status, answer.headers.copy(), orjson.loads(raw) if raw else None)

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return await self.ask("GET", path, query=query, headers=headers)

    async def post(self, path: str, document: Any = None) -> Answer:
        return await self._send_json("POST", path, document)

    async def put(self, path: str, document: Any) -> Answer:
        return await self._send_json("PUT", path, document)

    async def publish(self, *events: Document) -> Answer:
        """Publish one event, or several as a batch."""
        if len(events) == 1:
            return await self.send(orjson.dumps(events[0]), ONE_EVENT)
        return await self.send(orjson.dumps(events), EVENT_BATCH)

    async def send(self, body: bytes, content_type: str) -> Answer:
        """Post any bytes as events."""
        return await self.ask("POST", "/api/events", body=body, headers={"Content-Type": content_type})

    async def start_run(self, event: Document) -> str:
        """Publish an event that starts one run, and return the run's id."""
        answer = await self.publish(event)
        assert answer.status == 202, answer
        (run,) = answer.body["agent_runs"]
        return str(run["id"])

    async def runs(self, **query: str) -> list[Document]:
        """List the caller's runs."""
        answer = await self.get("/api/agent-runs", query)
        assert answer.status == 200, answer
        return list(answer.body["agent_runs"])

    async def run(self, run_id: str) -> Document:
        """Return one run in detail."""
        answer = await self.get(f"/api/agent-runs/{run_id}")
        assert answer.status == 200, answer
        return dict(answer.body)

    async def run_that_is(self, run_id: str, status: str, timeout_seconds: float = 20.0) -> Document:
        """Wait until the run has this status."""
        return await until_seen(lambda: self.run(run_id), lambda run: run["status"] == status, timeout_seconds)

    async def proposals(self, **query: str) -> list[Document]:
        """List the caller's proposals."""
        answer = await self.get("/api/proposals", query)
        assert answer.status == 200, answer
        return list(answer.body["proposals"])

    async def proposals_of(self, run_id: str) -> list[Document]:
        """Wait until the run is completed and its proposals are there."""
        run = await self.run_that_is(run_id, "completed")
        wanted = sum(1 for effect in run["effects"] if effect["dropped"] is None)
        return await until_seen(lambda: self.proposals(run_id=run_id), lambda found: len(found) >= wanted)

    async def memory(self, **query: str) -> list[Document]:
        """List the memory blocks that the caller may see."""
        answer = await self.get("/api/memory", query)
        assert answer.status == 200, answer
        return list(answer.body["blocks"])

    async def bind(self, agent_key: str, scope: str, scope_id: str | None = None, **says: Any) -> Document:
        """Have one scope say something about an Agent."""
        binding = {"agent_key": agent_key, "scope": scope, "scope_id": scope_id, **says}
        answer = await self.put("/api/bindings", binding)
        assert answer.status == 200, answer
        return dict(answer.body)

    async def _send_json(self, method: str, path: str, document: Any) -> Answer:
        body = None if document is None else orjson.dumps(document)
        return await self.ask(method, path, body=body, headers={"Content-Type": "application/json"})
