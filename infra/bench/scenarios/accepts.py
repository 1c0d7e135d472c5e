"""How many events a second are accepted for good, and how many until the gate has decided them all, too."""

import time

from infra.bench.agents import RUNS_NOTHING
from infra.bench.figures import Figure, Section, rate
from infra.bench.load.generator import generate
from infra.bench.load.job import Pattern
from infra.bench.processes import CpuClock
from infra.bench.site import Site

_CASES = ((1, 1), (32, 1), (128, 1), (8, 100))
_MICROSECONDS = 1_000_000


async def measure(site: Site) -> Section:
    """Publish from one caller, from many, and in batches."""
    await _case(site, 32, 1, site.scale.accept_seconds / 4)
    cases = [await _case(site, callers, batch, site.scale.accept_seconds) for callers, batch in _CASES]
    figures = [figure for case in cases for figure in case]
    remark = (
        "by HTTP on kept connections, each answered 202 after a majority and journaled write, without waiting for the"
        " gate, which decides them meanwhile; `and decided`: until it has decided the last of them; the generator runs on"
        " the same cores"
    )
    return Section("Accepted events per second", figures, remark)


async def _case(site: Site, callers: int, batch: int, seconds: float) -> list[Figure]:
    clock, begun = CpuClock.start(site.pids()), time.monotonic()
    job = site.job(Pattern.ACCEPT, RUNS_NOTHING, callers=callers, batch=batch, seconds=seconds)
    outcome = await generate(job)
    used = clock.seconds()["gateway"] / outcome.events * _MICROSECONDS
    asked = outcome.cpu_seconds / outcome.events * _MICROSECONDS
    await site.until_settled()
    decided = rate(outcome.events, time.monotonic() - begun)
    what = "single events" if batch == 1 else f"batches of {batch}"
    name = f"{callers} caller{'s' if callers > 1 else ''}, {what}"
    note = f"CPU per event: gateway {used:.0f} us, generator {asked:.0f} us"
    accepted = Figure(name, rate(outcome.events, outcome.seconds), "events/s", note)
    return [accepted, Figure("  and decided", decided, "events/s")]
