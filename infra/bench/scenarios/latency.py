"""How long an event takes to start its run, and to complete it, when there is little to do."""

from infra.bench.agents import NOOP, RUNS_OF
from infra.bench.figures import Figure, Headline, Section, milliseconds, percentile
from infra.bench.load.generator import generate
from infra.bench.load.job import Outcome, Pattern
from infra.bench.site import Site

PER_SECOND = 20
_WARM_UP_SECONDS = 1.5
_STEPS = (
    ("accepted", "answered 202"),
    ("started", "told that the run started"),
    ("ended", "told that the run completed"),
)


async def measure(site: Site) -> Section:
    """Publish at a low, even pace and look at the clock of the one that publishes."""
    await site.publish_agent(NOOP)
    await _paced(site, _WARM_UP_SECONDS)
    outcome, documents = await _paced(site, site.scale.paced_seconds)
    sent = outcome.moments["sent"]
    spans = {name: milliseconds(sent, outcome.moments[step]) for step, name in _STEPS} | documents
    remark = (
        f"from the moment an event is sent, at {PER_SECOND} a second whatever became of earlier ones. Told: over NATS,"
        " after the write that it tells of. The record's own times are taken before that write, in whole milliseconds"
    )
    headlines = {
        Headline.START_MS: percentile(spans["told that the run started"], 50),
        Headline.DONE_MS: percentile(spans["told that the run completed"], 50),
    }
    figures = [figure for name, values in spans.items() for figure in _figures(name, values)]
    return Section(f"Latency at {PER_SECOND} events per second", figures, remark, headlines)


async def _paced(site: Site, seconds: float) -> tuple[Outcome, dict[str, list[float]]]:
    job = site.job(Pattern.PACED, RUNS_OF, NOOP.key, seconds=seconds, per_second=PER_SECOND)
    outcome = await generate(job)
    await site.until_runs_completed(job.organisation, outcome.events)
    runs = {run["event_id"]: run for run in await site.runs(job.organisation)}
    ordered = [runs[f"{job.tag}-{number}"] for number in range(outcome.events)]
    sent = outcome.moments["sent"]
    await site.until_settled()
    return outcome, {
        f"`{name}` of the record": milliseconds(sent, [run[name].timestamp() for run in ordered])
        for name in ("started_at", "finished_at")
    }


def _figures(name: str, values: list[float]) -> list[Figure]:
    tail = f"p99 {percentile(values, 99):.1f}, longest {max(values):.1f}"
    return [Figure(f"{name}, p50", percentile(values, 50), "ms", tail)]
