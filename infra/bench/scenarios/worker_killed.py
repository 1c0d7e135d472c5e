"""How soon the runs of a runner that was killed run elsewhere."""

import asyncio
import time

from infra.bench.agents import RUNS_OF, SLOW
from infra.bench.figures import Figure, Headline, Section
from infra.bench.load.generator import generate
from infra.bench.load.job import Job, Pattern
from infra.bench.scenarios.slow_runs import CALL_SECONDS
from infra.bench.site import Site, until

_VICTIM = "runner-1"
# Fewer than the slots of one, so that the survivor is free to take over; in small batches, so that both get some.
_RUNS = 120
_BATCH = 5


async def measure(site: Site) -> Section:
    """Kill one of two runners while both work, and watch its runs."""
    await site.publish_agent(SLOW)
    job = site.job(Pattern.FLOOD, RUNS_OF, SLOW.key, callers=1, batch=_BATCH, count=_RUNS)
    await asyncio.gather(generate(job), _until_both_work(site, job))
    killed_at = time.time()
    await site.stack.kill(_VICTIM)
    first = await _until_restarted(site, job) - killed_at
    await site.until_runs_completed(job.organisation, _RUNS)
    last = time.time() - killed_at
    restarted = await site.database["runs"].count_documents({"organisation": job.organisation, "attempt": {"$gt": 1}})
    await site.until_settled()
    await site.stack.start(_VICTIM)
    figures = [
        Figure("first of its runs runs elsewhere after", first, "s", f"{restarted} runs were taken over"),
        Figure("all runs completed after", last, "s", f"{_RUNS} runs of {CALL_SECONDS} s, effects once"),
    ]
    return Section("One of two runners killed (kill -9)", figures, headlines={Headline.RESTART_SECONDS: first})


async def _until_both_work(site: Site, job: Job) -> None:
    running = {"organisation": job.organisation, "status": "running"}

    async def are_working() -> bool:
        return len(await site.database["runs"].distinct("owner", running)) > 1

    await until(are_working)


async def _until_restarted(site: Site, job: Job) -> float:
    again = {"organisation": job.organisation, "status": {"$in": ["running", "completed"]}, "attempt": {"$gt": 1}}

    async def is_restarted() -> bool:
        return await site.database["runs"].find_one(again, {"_id": 1}) is not None

    await until(is_restarted)
    return time.time()
