"""How long one person's inbox takes to be listed, and a proposal to be approved, when 10,000 wait for a decision."""

import time
from datetime import datetime, timedelta
from typing import Final

import aiohttp

from infra.bench.figures import Figure, Section, percentile
from infra.bench.site import Site
from shared.clock import utc_now
from shared.domain.projection import proposals_of
from shared.store.mongo import Document

_ORGANISATION: Final = "bench-inbox"
_USER: Final = "ada"
_AGENTS: Final = 8
_BATCH: Final = 5_000
_CASES: Final = (("first 50", ""), ("first 50 of one Agent and kind", "?agent_key=agent_3&kind=epic"))


async def measure(site: Site) -> Section:
    """Write the proposals straight into the database, then ask by HTTP, one request after the other."""
    count, asked = site.scale.pending_proposals, site.scale.inbox_requests
    proposals = await _write(site, count)
    token = site.stack.token(_ORGANISATION, _USER, roles=())
    figures = []
    async with aiohttp.ClientSession(site.stack.gateway_url, headers={"Authorization": f"Bearer {token}"}) as session:
        for name, query in _CASES:
            figures.append(_figure(name, [await _list(session, query, count) for _ in range(asked)]))
        for kind in ("memory_diff", "epic"):
            ids = [each["_id"] for each in proposals if each["kind"] == kind][:asked]
            figures.append(_figure(f"approving, {kind}", [await _approve(session, id_) for id_ in ids]))
    remark = (
        f"{count:,} pending proposals of one user and {_AGENTS} Agents, by HTTP; with counts of each Agent and kind"
    )
    return Section("GET /api/inbox", figures, remark)


def _figure(name: str, spans: list[float]) -> Figure:
    return Figure(f"{name}, p50", percentile(spans, 50), "ms", f"p99 {percentile(spans, 99):.1f}")


async def _list(session: aiohttp.ClientSession, query: str, count: int) -> float:
    begun = time.perf_counter()
    async with session.get(f"/api/inbox{query}") as answer:
        answer.raise_for_status()
        found = await answer.json()
    if (found["total"], len(found["proposals"])) != (count, 50):
        raise AssertionError(f"{len(found['proposals'])} of {found['total']} are listed instead of 50 of {count}")
    return (time.perf_counter() - begun) * 1_000


async def _approve(session: aiohttp.ClientSession, proposal_id: str) -> float:
    begun = time.perf_counter()
    async with session.post(f"/api/proposals/{proposal_id}/approve") as answer:
        answer.raise_for_status()
    return (time.perf_counter() - begun) * 1_000


async def _write(site: Site, count: int) -> list[Document]:
    now = utc_now()
    made = [each for number in range(count // 2) for each in proposals_of(ended_run(number, now))]
    for first in range(0, count, _BATCH):
        await site.database["proposals"].insert_many(made[first : first + _BATCH])
    return made


def ended_run(number: int, now: datetime) -> Document:
    """Return what proposals are made from: a run of the user that asks for a memory diff and an epic."""
    return {
        "_id": f"run-{number}",
        "event_key": f"ev-{number}",
        "agent_key": f"agent_{number % _AGENTS}",
        "agent_version": 1,
        "organisation": _ORGANISATION,
        "project": "apollo",
        "user": _USER,
        "target": {"type": "doc", "id": f"doc-{number}"},
        "finished_at": now - timedelta(seconds=number),
        "effects": [_memory(0, number), _epic(1, number)],
    }


def _memory(index: int, number: int) -> Document:
    change = {
        "owner": {"type": "user", "id": _USER},
        "block_label": f"block_{number % 100}",
        "field": f"field_{number}",
        "operation": "append",
        "current_value": "",
        "proposed_value": f"Fact {number}.",
    }
    return _effect(index, "memory_diff", f"Remember fact {number}", 0, change)


def _epic(index: int, number: int) -> Document:
    change = {"title": f"Epic {number}", "goal": "Figures for customers.", "ticket_ids": [f"APO-{number}"]}
    return _effect(index, "epic", f"Add an epic: Epic {number}", None, change)


def _effect(index: int, kind: str, title: str, base_version: int | None, change: Document) -> Document:
    return {
        "index": index,
        "kind": kind,
        "title": title,
        "reasoning": "The check-in says so.",
        "confidence": "high",
        "base_version": base_version,
        "change": change,
        "dropped": None,
    }
