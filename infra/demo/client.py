"""The gateway's API as products and people call it, each with a token of their own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson

from contracts.envelope import Event
from infra.demo.script import SwitchOff

Json = dict[str, Any]

ONE_EVENT = "application/cloudevents+json"
EVENT_BATCH = "application/cloudevents-batch+json"
PAGE = 200


class GatewayRefused(Exception):
    """The gateway answered with a problem; the text is what it says."""


class Client:
    """One caller of the gateway."""

    def __init__(self, session: aiohttp.ClientSession, token: str) -> None:
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}"}

    async def publish(self, events: Sequence[Event]) -> Json:
        """Send one event, or several as a batch; return the answer, which may refuse some of them in `errors`."""
        bodies = [event.to_json() for event in events]
        body, kind = (bodies[0], ONE_EVENT) if len(bodies) == 1 else (b"[" + b",".join(bodies) + b"]", EVENT_BATCH)
        headers = {**self._headers, "Content-Type": kind}
        async with self._session.post("/api/events", data=body, headers=headers) as answer:
            content: Json = await _content(answer)
            if answer.status != HTTPStatus.ACCEPTED and "events" not in content:
                raise _refusal(content)
            return content

    async def switch_off(self, switch: SwitchOff) -> None:
        """Disable an Agent at a scope."""
        binding = {"agent_key": switch.agent_key, "scope": switch.scope, "scope_id": switch.scope_id, "enabled": False}
        async with self._session.put("/api/bindings", json=binding, headers=self._headers) as answer:
            await _expected(answer)

    async def runs_page(self, cursor: str | None, etag: str | None) -> tuple[Json | None, str | None]:
        """Return a page of the organisation's runs with its tag, or None when it still has the tag given."""
        headers = self._headers if etag is None else {**self._headers, "If-None-Match": etag}
        query = {"all_users": "true", "limit": str(PAGE)} | ({} if cursor is None else {"cursor": cursor})
        async with self._session.get("/api/agent-runs", params=query, headers=headers) as answer:
            if answer.status == HTTPStatus.NOT_MODIFIED:
                return None, etag
            return await _expected(answer), answer.headers.get("ETag")

    async def run(self, run_id: str) -> Json:
        """Return one run in full."""
        return await self._get(f"/api/agent-runs/{run_id}", {})

    async def proposals(self, user: str) -> AsyncIterator[Json]:
        """Yield every proposal of a user, newest first."""
        query = {"user": user, "limit": str(PAGE)}
        while True:
            page = await self._get("/api/proposals", query)
            for proposal in page["proposals"]:
                yield proposal
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    async def approve(self, proposal_id: str) -> Json:
        """Approve a proposal and return it as it is then."""
        async with self._session.post(f"/api/proposals/{proposal_id}/approve", headers=self._headers) as answer:
            return await _expected(answer)

    async def memory(self, user: str, project: str | None, label: str) -> list[Json]:
        """Return the blocks with this label of a user, and of a project when one is named."""
        query = {"user": user, "label": label} | ({} if project is None else {"project": project})
        blocks: list[Json] = (await self._get("/api/memory", query))["blocks"]
        return blocks

    async def _get(self, path: str, query: Mapping[str, str]) -> Json:
        async with self._session.get(path, params=query, headers=self._headers) as answer:
            return await _expected(answer)


async def _expected(answer: aiohttp.ClientResponse) -> Json:
    content = await _content(answer)
    if not answer.ok:
        raise _refusal(content)
    return content


async def _content(answer: aiohttp.ClientResponse) -> Json:
    raw = await answer.read()
    try:
        content: Json = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise GatewayRefused(f"{answer.url.path} answered {answer.status} without JSON.") from error
    return content


def _refusal(problem: Json) -> GatewayRefused:
    return GatewayRefused(f"{problem.get('detail', problem)} ({problem.get('code', 'no code')})")
