import os
import time

from infra.bench.processes import (
    CpuClock,
    Disturbance,
    busy_seconds_of,
    cpu_seconds,
    cpu_seconds_of,
    resident_mebibytes,
    resident_mebibytes_of,
)

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def stat_line(name: str, user_ticks: int, system_ticks: int) -> str:
    return f"42 ({name}) S 1 42 42 0 -1 4194560 100 0 0 0 {user_ticks} {system_ticks} 0 0 20 0 8 0 100 1000 200"


def test_processor_time_is_that_of_the_program_and_of_the_kernel_for_it() -> None:
    assert cpu_seconds_of(stat_line("mongod", 3 * TICKS, 2 * TICKS)) == 5.0


def test_a_name_with_spaces_and_parentheses_changes_nothing() -> None:
    assert cpu_seconds_of(stat_line("a (very) odd name", 3 * TICKS, 2 * TICKS)) == 5.0


def test_memory_is_what_is_resident() -> None:
    assert resident_mebibytes_of(f"9999 {3 * 1024 * 1024 // PAGE} 10 1 0 50 0") == 3.0


def test_a_machine_that_idles_or_waits_is_not_busy() -> None:
    assert busy_seconds_of(f"cpu  {TICKS} 0 {TICKS} 900 700 0 0 {TICKS} 0 0\ncpu0 1 2 3") == 3.0


def test_this_process_can_be_looked_at() -> None:
    assert cpu_seconds(os.getpid()) > 0
    assert resident_mebibytes(os.getpid()) > 1


def test_a_clock_counts_from_its_start() -> None:
    clock = CpuClock.start({"me": os.getpid()})

    assert 0 <= clock.seconds()["me"] < cpu_seconds(os.getpid())


def test_own_work_is_no_disturbance() -> None:
    disturbance = Disturbance.start([])
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass

    assert disturbance.cores([]) <= os.cpu_count()  # type: ignore[operator]  # Linux knows it
