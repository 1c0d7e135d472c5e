"""`python -m infra.bench.load`: reads a job from standard input, does it, writes the outcome to standard output."""

import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import uvloop

from infra.bench.load import patterns
from infra.bench.load.bodies import Bodies
from infra.bench.load.job import Job, Outcome, Pattern

_PATTERNS: Final[Mapping[Pattern, Callable[[Job, Bodies], Awaitable[Outcome]]]] = {
    Pattern.ACCEPT: patterns.accept,
    Pattern.CLOSED_HTTP: patterns.closed_http,
    Pattern.CLOSED_NATS: patterns.closed_nats,
    Pattern.FLOOD: patterns.flood,
    Pattern.PACED: patterns.paced,
}


async def _run(job: Job) -> Outcome:
    bodies = Bodies(job.event_type, job.organisation, job.tag)
    used_before = time.process_time()
    outcome = await _PATTERNS[job.pattern](job, bodies)
    return outcome.model_copy(update={"cpu_seconds": time.process_time() - used_before})


def main() -> None:
    """Do one job."""
    job = Job.model_validate_json(sys.stdin.buffer.read())
    print(uvloop.run(_run(job)).model_dump_json())


main()
