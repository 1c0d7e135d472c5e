"""How long a user's active runs take to be listed beside a long history."""

import time
from dataclasses import replace
from datetime import datetime, timedelta

import aiohttp

from contracts.lanes import Lane
from infra.bench.figures import Figure, Headline, Section, percentile
from infra.bench.site import Site
from shared.clock import utc_now
from shared.domain.decision import Target
from shared.domain.run import Claim, RunStatus, Usage, Waiting
from shared.store.mongo import Document
from shared.store.run_documents import Commit, NewRun, run_document, waiting_document

_ORGANISATION = "bench-status"
_USER = "ada"
_ACTIVE_RUNS = 20
_FAILS_EVERY = 50
_BATCH = 5_000
_HISTORY = timedelta(days=2)
_CASES = (("active runs", "?status=queued&status=running"), ("active and recently finished runs, first 50", ""))


async def measure(site: Site) -> Section:
    """Write the history straight into the database, then ask by HTTP, one request after the other."""
    await _write_history(site, site.scale.finished_runs)
    token = site.stack.token(_ORGANISATION, _USER, roles=())
    figures, medians = [], []
    async with aiohttp.ClientSession(site.stack.gateway_url, headers={"Authorization": f"Bearer {token}"}) as session:
        for name, query in _CASES:
            spans = await _ask(session, f"/api/agent-runs{query}", site.scale.status_requests)
            medians.append(percentile(spans, 50))
            figures.append(Figure(f"{name}, p50", medians[-1], "ms", f"p99 {percentile(spans, 99):.1f}"))
    remark = f"{_ACTIVE_RUNS} active runs of one user beside {site.scale.finished_runs:,} finished ones, by HTTP"
    return Section("GET /api/agent-runs", figures, remark, {Headline.ACTIVE_MS: medians[0]})


async def _ask(session: aiohttp.ClientSession, path: str, count: int) -> list[float]:
    spans = []
    for _ in range(count):
        begun = time.perf_counter()
        async with session.get(path) as answer:
            answer.raise_for_status()
            found = await answer.json()
        spans.append((time.perf_counter() - begun) * 1_000)
        if found["active"] != _ACTIVE_RUNS:
            raise AssertionError(f"{found['active']} active runs are listed instead of {_ACTIVE_RUNS}")
    return spans


async def _write_history(site: Site, count: int) -> None:
    now = utc_now()
    runs = site.database["runs"]
    await runs.insert_many([active_run(number, now) for number in range(_ACTIVE_RUNS)])
    for first in range(0, count, _BATCH):
        numbers = range(first, min(first + _BATCH, count))
        await runs.insert_many([finished_run(number, now - _HISTORY * number / count) for number in numbers])


def active_run(number: int, now: datetime) -> Document:
    """Return a run of the user that is queued."""
    # Waiting, so that nobody takes it while the list is measured.
    waiting = waiting_document(Waiting.RETRY, now, until=now + timedelta(days=1))
    document = run_document(replace(_new(f"active-{number}", now), waiting_for=waiting))
    del document["sweep_at"]
    return document


def finished_run(number: int, at: datetime) -> Document:
    """Return a run of the user that ended at this moment; one in fifty failed."""
    new = _new(f"finished-{number}", at)
    status = RunStatus.FAILED if number % _FAILS_EVERY == 0 else RunStatus.COMPLETED
    commit = Commit(Claim(new.id, 1, "bench"), status, at, Usage(1_000, 200, 1), output_json='{"text":"done"}')
    document = run_document(new) | commit.changes() | {"attempt": 1, "owner": "bench", "started_at": at}
    del document["sweep_at"]
    return document


def _new(id_: str, at: datetime) -> NewRun:
    return NewRun(
        id=id_,
        event_key=f"ev-{id_}",
        event_id=id_,
        event_type="ticket.opened",
        organisation=_ORGANISATION,
        project="apollo",
        user=_USER,
        agent_key="noop",
        agent_version=1,
        target=Target("ticket", id_),
        lane=Lane.MEDIUM,
        queued_at=at,
    )
