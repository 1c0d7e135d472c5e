"""What processes used so far, as the kernel counts it."""

import os
from collections.abc import Mapping
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
