"""The memory of every process before any work."""

import asyncio

from infra.bench.figures import Figure, Section
from infra.bench.processes import resident_mebibytes
from infra.bench.site import Site

_REST_SECONDS = 1.0


async def measure(site: Site) -> Section:
    """Look at each process a moment after its start."""
    await asyncio.sleep(_REST_SECONDS)
    figures = [Figure(name, resident_mebibytes(pid), "MiB") for name, pid in site.pids().items()]
    return Section("Memory of each idle process", figures, "resident, shared libraries included")
