"""Starts the load generator and takes its answer."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE

from infra.bench.load.job import Job, Outcome
from infra.local.processes import ROOT, TETHER


class LoadFailed(Exception):
    """The load generator ended without an answer; the text is what it said last."""


async def generate(job: Job) -> Outcome:
    """Have a process of its own do the job; cancelled, it is killed."""
    leash = (sys.executable, "-I", "-S", str(TETHER), str(os.getpid()))
    process = await asyncio.create_subprocess_exec(
        *leash, sys.executable, "-m", "infra.bench.load", cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        answer, complaint = await process.communicate(job.model_dump_json().encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise LoadFailed(complaint.decode(errors="replace")[-2_000:].strip())
    return Outcome.model_validate_json(answer)
