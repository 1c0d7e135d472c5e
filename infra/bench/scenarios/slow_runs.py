"""How close many runs that mostly wait come to the shortest time possible."""

import time

from infra.bench.agents import RUNS_OF, SLOW
from infra.bench.figures import Figure, Headline, Section, percentile, times_ideal
from infra.bench.load.generator import generate
from infra.bench.load.job import Pattern
from infra.bench.processes import CpuClock
from infra.bench.site import Needs, Site

SLOTS = 256
RUNNERS = 2
CALL_SECONDS = 0.5
NEEDS = Needs(
    runners=RUNNERS,
    model_latency_ms=int(CALL_SECONDS * 1_000),
    environment=(("RUNNER_SLOTS", str(SLOTS // RUNNERS)), ("GATE_WAIT_SECONDS", "0")),
)
_WARM_UP_RUNS = 64
_MICROSECONDS = 1_000_000


async def measure(site: Site) -> Section:
    """Publish everything at once and wait for the last run."""
    await site.publish_agent(SLOW)
    await _seconds(site, _WARM_UP_RUNS)
    count = site.scale.slow_runs
    clock = CpuClock.start(site.pids())
    seconds, spans = await _seconds(site, count)
    used = {name: cpu / count * _MICROSECONDS for name, cpu in clock.seconds().items()}
    ratio = times_ideal(seconds, count, CALL_SECONDS, SLOTS)
    shares = ", ".join(f"{name} {microseconds:.0f}" for name, microseconds in used.items() if microseconds >= 1)
    figures = [
        Figure(f"{count:,} runs of {CALL_SECONDS} s", ratio, "x ideal", f"{seconds:.2f} s on {SLOTS} slots"),
        Figure("  start to end of one run, p50", percentile(spans, 50), "s", f"p99 {percentile(spans, 99):.2f}"),
        Figure("  CPU of all processes", sum(used.values()), "us/run", shares),
    ]
    remark = (
        f"on {RUNNERS} runners; each run is one recorded call by HTTP of the offline model, which waits"
        f" {CALL_SECONDS} s, so a model client and a model server are in the figure"
    )
    return Section("Runs that wait", figures, remark, {Headline.TIMES_IDEAL: ratio})


async def _seconds(site: Site, count: int) -> tuple[float, list[float]]:
    job = site.job(Pattern.FLOOD, RUNS_OF, SLOW.key, callers=4, batch=100, count=count)
    outcome = await generate(job)
    await site.until_runs_completed(job.organisation, count)
    seconds = time.time() - outcome.moments["begun"][0]
    await site.until_settled()
    runs = await site.runs(job.organisation)
    return seconds, [(run["finished_at"] - run["started_at"]).total_seconds() for run in runs]
