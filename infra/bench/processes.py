"""What processes used so far, as the kernel counts it."""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_MEBIBYTE: Final = 1_024 * 1_024

# Fields after the command's name in /proc/PID/stat, which itself may hold spaces and parentheses.
_USER_TICKS, _SYSTEM_TICKS = 11, 12


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and all its threads."""
    return cpu_seconds_of(Path("/proc", str(pid), "stat").read_text())


def resident_mebibytes(pid: int) -> float:
    """Return the memory of a process that is in RAM, what it shares with others included."""
    return resident_mebibytes_of(Path("/proc", str(pid), "statm").read_text())


def busy_seconds() -> float:
    """Return the processor time of everything on this machine."""
    return busy_seconds_of(Path("/proc/stat").read_text())


def busy_seconds_of(stat: str) -> float:
    """Read `/proc/stat`: all that its first line counts, but idling and waiting for a disk."""
    user, nice, system, _idle, _wait, *others = (int(ticks) for ticks in stat.splitlines()[0].split()[1:9])
    return (user + nice + system + sum(others)) / _TICKS_PER_SECOND


def cpu_seconds_of(stat: str) -> float:
    """Read `/proc/PID/stat`."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])) / _TICKS_PER_SECOND


def resident_mebibytes_of(statm: str) -> float:
    """Read `/proc/PID/statm`."""
    return int(statm.split()[1]) * _PAGE_BYTES / _MEBIBYTE


@dataclass(frozen=True, slots=True)
class CpuClock:
    """Measures the processor time of several processes from its start on."""

    pids: Mapping[str, int]
    started: Mapping[str, float]

    @classmethod
    def start(cls, pids: Mapping[str, int]) -> "CpuClock":
        """Begin to count."""
        return cls(pids, {name: cpu_seconds(pid) for name, pid in pids.items()})

    def seconds(self) -> dict[str, float]:
        """Return what each process has used since the start."""
        return {name: cpu_seconds(pid) - self.started[name] for name, pid in self.pids.items()}


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Measures how many cores everybody else used meanwhile: figures of a busy machine are not comparable."""

    started: float
    busy: float
    own: float

    @classmethod
    def start(cls, pids: Iterable[int]) -> "Disturbance":
        """Begin to count; the processes are those of the platform, which are no disturbance."""
        return cls(time.monotonic(), busy_seconds(), _own_seconds(pids))

    def cores(self, pids: Iterable[int]) -> float:
        """Return the cores used by others since the start; the platform may have other processes by now."""
        elapsed = time.monotonic() - self.started
        others = busy_seconds() - self.busy - (_own_seconds(pids) - self.own)
        return max(0.0, others / elapsed)


def _own_seconds(pids: Iterable[int]) -> float:
    # Of children that have ended, such as the load generator or a runner that was killed, only their parent knows.
    own = os.times()
    return own.user + own.system + own.children_user + own.children_system + sum(cpu_seconds(pid) for pid in pids)
