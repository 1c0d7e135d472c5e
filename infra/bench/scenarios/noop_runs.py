"""How many runs a second go from accepted to completed when the work itself takes no time."""

import time

from infra.bench.agents import NOOP, RUNS_OF
from infra.bench.figures import Figure, Headline, Section, rate
from infra.bench.load.generator import generate
from infra.bench.load.job import Job, Outcome, Pattern
from infra.bench.processes import CpuClock
from infra.bench.site import Site

IN_FLIGHT = 32
_FLOOD_CALLERS = 4
_FLOOD_BATCH = 100
_MICROSECONDS = 1_000_000


async def measure(site: Site) -> Section:
    """Measure with a bounded number in flight, then with everything published at once."""
    await site.publish_agent(NOOP)
    count = site.scale.noop_runs
    await _closed(site, Pattern.CLOSED_HTTP, site.scale.warm_up_runs)
    by_http = await _closed(site, Pattern.CLOSED_HTTP, count)
    by_nats = await _closed(site, Pattern.CLOSED_NATS, count)
    at_once = await _flood(site, count)
    remark = (
        f"{count:,} events, each starting one run on a runner of 64 slots; every event, decision and run is a durable"
        " record. In flight: the generator waits to be told of a run's end before it publishes the next event. At once:"
        " until the database says that the last run is completed"
    )
    headlines = {Headline.RUNS_PER_SECOND: by_http[0].value}
    return Section("No-op runs per second, accepted to completed", [*by_http, *by_nats, *at_once], remark, headlines)


async def _closed(site: Site, pattern: Pattern, count: int) -> list[Figure]:
    clock = CpuClock.start(site.pids())
    outcome = await generate(site.job(pattern, RUNS_OF, NOOP.key, callers=IN_FLIGHT, count=count))
    used = _used(clock, outcome)
    await site.until_settled()
    way = "HTTP" if pattern is Pattern.CLOSED_HTTP else "NATS"
    return _figures(f"{IN_FLIGHT} in flight, single events by {way}", rate(count, outcome.seconds), used)


async def _flood(site: Site, count: int) -> list[Figure]:
    clock = CpuClock.start(site.pids())
    job = site.job(Pattern.FLOOD, RUNS_OF, NOOP.key, callers=_FLOOD_CALLERS, batch=_FLOOD_BATCH, count=count)
    outcome = await generate(job)
    seconds = await _seconds_until_completed(site, job, outcome)
    used = _used(clock, outcome)
    await site.until_settled()
    return _figures(f"all at once, batches of {_FLOOD_BATCH} by HTTP", rate(count, seconds), used)


async def _seconds_until_completed(site: Site, job: Job, outcome: Outcome) -> float:
    await site.until_runs_completed(job.organisation, job.count)
    return time.time() - outcome.moments["begun"][0]


def _used(clock: CpuClock, outcome: Outcome) -> dict[str, float]:
    used = clock.seconds() | {"generator": outcome.cpu_seconds}
    return {name: seconds / outcome.events * _MICROSECONDS for name, seconds in used.items()}


def _figures(name: str, per_second: float, used: dict[str, float]) -> list[Figure]:
    shares = [f"{process} {microseconds:.0f}" for process, microseconds in used.items() if microseconds >= 1]
    cpu = Figure("  CPU of all processes", sum(used.values()), "us/run", ", ".join(shares))
    return [Figure(name, per_second, "runs/s"), cpu]
