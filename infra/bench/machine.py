"""Which machine this is; figures mean nothing without it."""

import os
import platform
from pathlib import Path

_MEBIBYTES_OF_KIBIBYTES = 1_024


def describe() -> dict[str, str]:
    """Return what matters about the machine for reading the figures."""
    return {
        "processor": _field(Path("/proc/cpuinfo"), "model name") or platform.processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(_field(Path('/proc/meminfo'), 'MemTotal').split()[0]) // _MEBIBYTES_OF_KIBIBYTES} MiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def _field(path: Path, name: str) -> str:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
