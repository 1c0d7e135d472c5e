"""The gateway's API as products and people call it, each with a token of their own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson

from contracts.envelope import Event
from infra.demo.script import Schedule, SwitchOff

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
        await self._bind(switch, {"enabled": False})

    async def schedule(self, schedule: Schedule) -> None:
        """Have an Agent due every so often at a scope."""
        await self._bind(schedule, {"schedule": {"every_seconds": schedule.every_seconds}})

    async def _bind(self, at: SwitchOff | Schedule, says: Json) -> None:
        binding = {"agent_key": at.agent_key, "scope": at.scope, "scope_id": at.scope_id, **says}
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

    async def waiting_for(self, block_label: str, field: str) -> Json | None:
        """Return the newest proposal for this field that waits for the caller's decision."""
        query = {"kind": "memory_diff", "block_label": block_label, "field": field}
        return next(iter((await self._get("/api/inbox", query))["proposals"]), None)

    async def approve(self, proposal_id: str) -> Json:
        """Approve a proposal and return it as it is then."""
        return await self._decide(proposal_id, "approve")

    async def undo(self, proposal_id: str) -> Json:
        """Take an approved change back and return the proposal as it is then."""
        return await self._decide(proposal_id, "undo")

    async def edit(self, block: Json, field: str, text: str) -> Json:
        """Write a field of a memory block as it was seen; return the block as it is then."""
        edit = {"fields": {field: text}, "base_version": block["version"]}
        async with self._session.put(f"/api/memory/{block['id']}", json=edit, headers=self._headers) as answer:
            return await _expected(answer)

    async def _decide(self, proposal_id: str, what: str) -> Json:
        async with self._session.post(f"/api/proposals/{proposal_id}/{what}", headers=self._headers) as answer:
            return await _expected(answer)

    async def session(self, session_id: str) -> Json:
        """Return a session with its messages."""
        return await self._get(f"/api/sessions/{session_id}", {"limit": "500"})

    async def block(self, owner: Json, label: str) -> Json:
        """Return a block of the caller, or of a project, or raise GatewayRefused."""
        query = {"label": label} | ({"project": owner["id"]} if owner["type"] == "project" else {})
        blocks = (await self._get("/api/memory", query))["blocks"]
        found: Json | None = next((each for each in blocks if each["owner"] == owner), None)
        if found is None:
            raise GatewayRefused(f"There is no block '{label}' of {owner['type']} {owner['id']}.")
        return found

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
