"""How many events a second are decided beside many Agents and bindings, and how soon a change of binding is obeyed."""

import itertools
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import nats
from nats.aio.client import Client

from contracts.agents import Scope
from contracts.registry import parse_json
from contracts.subjects import event_subject
from infra.bench import fleet
from infra.bench.figures import Figure, Section, percentile, rate
from infra.bench.processes import CpuClock
from infra.bench.site import Site, until
from shared.clock import utc_now
from shared.domain.binding import Binding, ScopeRef
from shared.domain.event import ACCEPTED_HEADER, accepted_event
from shared.messaging.backlog import Backlog
from shared.messaging.barrier import taken_by_server
from shared.store.bindings import BindingStore
from shared.store.events import EventStore
from shared.store.mongo import Document
from shared.store.tickets import TicketStore

_PROBED: Final = "probed"
_CHANGES: Final = 10
_BATCH: Final = 1_000
_MICROSECONDS: Final = 1_000_000


async def measure(site: Site) -> Section:
    """Have events wait before a stopped gate, let it go on, and time it; then change a binding again and again."""
    bindings = await fleet.write(site.database)
    client = await nats.connect(site.stack.nats_url)
    try:
        await _decided(site, client, starts_runs=True)
        count = site.scale.gated_events
        await _rate(site, client, count // 2, "for warming up", _publish_accepted)
        accepted = await _rate(site, client, count, "accepted by a gateway before", _publish_accepted)
        direct = await _rate(site, client, count, "straight from NATS", _publish)
        followed = await _followed(site)
        obeyed = [await _obeyed_after(site, client, enabled=number % 2 == 1) for number in range(_CHANGES)]
    finally:
        await client.close()
    agents = len(fleet.ORGANISATIONS) * len(list(fleet.agents()))
    remark = (
        f"{agents} Agents of {len(fleet.ORGANISATIONS)} organisations and {bindings:,} bindings; each of"
        f" {count:,} events meets two Agents that its user has switched off, and both decisions are"
        " recorded. What came straight from NATS is stored first. The events wait in NATS before the gate is let go"
    )
    changed = Figure(
        "a change of binding is obeyed after, p50", percentile(obeyed, 50), "ms", f"worst {max(obeyed):.0f}"
    )
    return Section("The gate beside many bindings", [*accepted, *direct, followed, changed], remark)


Publish = Callable[[Site, Client, Sequence[bytes]], Awaitable[None]]


async def _publish(site: Site, client: Client, events: Sequence[bytes]) -> None:
    for body in events:
        event = parse_json(body)
        await client.publish(event_subject(event.type, event.organisationid), body)


async def _publish_accepted(site: Site, client: Client, events: Sequence[bytes]) -> None:
    # As if accepted later, so that the sweep does not look after them before the gate is let go.
    now = utc_now() + timedelta(minutes=2)
    await EventStore(site.database).accept([accepted_event(parse_json(body), body.decode(), now) for body in events])
    for body in events:
        event = parse_json(body)
        await client.publish(event_subject(event.type, event.organisationid), body, headers={ACCEPTED_HEADER: "once"})


async def _rate(site: Site, client: Client, count: int, how: str, publish: Publish) -> list[Figure]:
    gating, backlog = site.pids()["gating"], Backlog(client)
    organisations = itertools.cycle(fleet.ORGANISATIONS)
    os.kill(gating, signal.SIGSTOP)
    try:
        for first in range(0, count, _BATCH):
            numbers = range(first, min(first + _BATCH, count))
            await publish(site, client, [fleet.event(next(organisations), number) for number in numbers])
        await taken_by_server(client)
        clock, begun = CpuClock.start(site.pids()), time.perf_counter()
    finally:
        os.kill(gating, signal.SIGCONT)

    async def are_decided() -> bool:
        return not await backlog.is_gating_behind()

    await until(are_decided)
    seconds = time.perf_counter() - begun
    used = {name: spent / count * _MICROSECONDS for name, spent in clock.seconds().items()}
    shares = ", ".join(f"{name} {spent:.0f}" for name, spent in used.items() if spent >= 1)
    return [
        Figure(f"events decided, {how}", rate(count, seconds), "events/s"),
        Figure("  CPU of all processes", sum(used.values()), "us/event", shares),
    ]


async def _followed(site: Site) -> Figure:
    """Have tickets follow the events, as whoever reads them would, or else the scheduler."""
    tickets, events, begun = TicketStore(site.database), 0, time.perf_counter()
    while taken := await tickets.take_in(_BATCH):
        events += taken
    return Figure(
        "events that tickets follow", rate(events, time.perf_counter() - begun), "events/s", "when they are read"
    )


async def _obeyed_after(site: Site, client: Client, *, enabled: bool) -> float:
    """Return how many milliseconds after its write a binding decides."""
    organisation = fleet.ORGANISATIONS[0]
    at = ScopeRef(Scope.USER, _PROBED)
    for spec in fleet.agents():
        binding = Binding(organisation, at, spec.key, enabled=enabled, updated_at=utc_now(), updated_by="bench")
        await BindingStore(site.database).put(binding)
    written = time.perf_counter()
    await _decided(site, client, starts_runs=enabled)
    return (time.perf_counter() - written) * 1_000


async def _decided(site: Site, client: Client, *, starts_runs: bool) -> None:
    """Publish events until the decisions on one are as they are to be."""

    async def is_so() -> bool:
        body = fleet.event(fleet.ORGANISATIONS[0], 0, _PROBED)
        await client.publish(event_subject(fleet.EVENT_TYPE, fleet.ORGANISATIONS[0]), body)
        decisions = await _decisions(site)
        return bool(decisions) and all((each["outcome"] == "run") == starts_runs for each in decisions)

    await until(is_so)


async def _decisions(site: Site) -> list[Document]:
    """Return the decisions on the latest event of the user who is changed."""
    query = {"organisation": fleet.ORGANISATIONS[0], "user": _PROBED, "gated": True}
    latest = await site.database["events"].find_one(query, sort=[("accepted_at", -1)])
    return [] if latest is None else list(latest["decisions"])
