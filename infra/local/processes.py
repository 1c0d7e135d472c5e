"""One child process: started on a leash, logging to a file, stopped within a bounded time."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TETHER = Path(__file__).with_name("tether.py")
LAST_LINES = 15


class Child:
    """A running process in its own session; the kernel kills it when this process ends, however it ends."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        self._popen = popen

    @property
    def pid(self) -> int:
        """The process id, also after its end."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, the negated signal number, or None while it runs."""
        return self._popen.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the process has already ended."""
        self._popen.send_signal(number)

    def wait(self, timeout_seconds: float | None = None) -> int:
        """Block until the end and return the exit code; raise `TimeoutError` when it takes longer."""
        try:
            return self._popen.wait(timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"{self.name} (pid {self.pid}) still runs after {timeout_seconds} s") from error

    def kill(self) -> None:
        """End it as `kill -9` does, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self, timeout_seconds: float) -> bool:
        """Ask it to stop (SIGTERM), kill it after the time given; return whether it stopped by itself."""
        self.signal(signal.SIGTERM)
        # A process stopped by SIGSTOP would not see the SIGTERM.
        self.signal(signal.SIGCONT)
        try:
            self.wait(timeout_seconds)
        except TimeoutError:
            self.kill()
            return False
        return True


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: the command, where its output goes, and what it finds in its environment."""

    name: str
    command: Sequence[str]
    log_path: Path
    environment: Mapping[str, str] | None = None

    def start(self) -> Child:
        """Start it in the repository's root; its output is appended to the log file."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        popen = _forker().submit(self._popen).result()
        return Child(self.name, popen, self.log_path)

    def _popen(self) -> subprocess.Popen[bytes]:
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=None if self.environment is None else dict(self.environment),
                start_new_session=True,
            )


@cache
def _forker() -> ThreadPoolExecutor:
    """Return the one thread that starts children: the death signal is sent when the *thread* that forked ends."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")


def rotate(log_path: Path) -> None:
    """Move the log of the previous start aside (`name.previous.log`), so that a log is about one start."""
    if log_path.exists():
        log_path.replace(log_path.with_suffix(".previous.log"))


def last_lines(log_path: Path, count: int = LAST_LINES) -> str:
    """Return the end of a log file, for an error message."""
    if not log_path.exists():
        return ""
    return "\n".join(log_path.read_text(errors="replace").splitlines()[-count:])


def describe_exit(exit_code: int) -> str:
    """Return `exit code 3` or `signal SIGKILL`."""
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return f"signal {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"signal {-exit_code}"
