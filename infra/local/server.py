"""What the embedded servers have in common: one process on one port with one data folder."""

import logging
import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.local.errors import StartFailed
from infra.local.ports import require_free
from infra.local.processes import Child, Program, describe_exit, last_lines, rotate

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.02


class EmbeddedServer(ABC):
    """A real server on loopback that can be started, stopped, killed, wiped and started again on the same data."""

    name: str
    port_setting: str
    start_timeout_seconds: float = 30.0
    stop_timeout_seconds: float = 15.0

    def __init__(self, port: int, data_dir: Path, log_path: Path | None = None) -> None:
        self.port = port
        self.data_dir = data_dir
        self.log_path = log_path or data_dir.with_name(f"{data_dir.name}.log")
        self.child: Child | None = None
        self._is_ready = False
        # A stop that comes during a start in another thread waits for it, so that it finds the process.
        self._changing = threading.Lock()

    @property
    @abstractmethod
    def url(self) -> str:
        """The address clients connect to."""

    @property
    def pid(self) -> int:
        """The process id; `RuntimeError` when it was never started or is stopped."""
        if self.child is None:
            raise RuntimeError(f"{self.name} is not running")
        return self.child.pid

    @property
    def is_running(self) -> bool:
        """Whether its process exists."""
        return self.child is not None and self.child.exit_code is None

    def start(self) -> None:
        """Start it and block until it is ready to work; starting a running server changes nothing.

        Raises `PortTaken`, `ServerMissing` or `StartFailed`; in each case no process is left.
        """
        with self._changing:
            if not self.is_running:
                self._start()

    def stop(self) -> bool:
        """Stop it cleanly; return False when it had to be killed because it took too long."""
        with self._changing:
            self._is_ready = False
            stopped = self.child is None or self.child.stop(self.stop_timeout_seconds)
            self.child = None
        if not stopped:
            logger.warning("%s did not stop within %s s and was killed", self.name, self.stop_timeout_seconds)
        return stopped

    def kill(self) -> None:
        """End it as a crash would (`kill -9`) and wait until it is gone; its data stays."""
        self._is_ready = False
        child, self.child = self.child, None
        if child is not None:
            child.kill()

    def wipe(self) -> None:
        """Kill it if it runs, and delete everything it stored."""
        self.kill()
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def take_unexpected_end(self) -> int | None:
        """Return the exit code, once, when it ended although it was ready and nobody asked for the end."""
        code = None if self.child is None else self.child.exit_code
        # In this order: whoever ends it, in another thread, says before that it is not ready any more.
        if code is None or not self._is_ready:
            return None
        self._is_ready = False
        return code

    def _start(self) -> None:
        command = self._command()
        require_free(self.port, self.port_setting)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        rotate(self.log_path)
        self._is_ready = False
        self.child = Program(self.name, command, self.log_path).start()
        try:
            self._become_ready(time.monotonic() + self.start_timeout_seconds)
        except BaseException:
            self.kill()
            raise
        self._is_ready = True

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """Return the command line, or raise `ServerMissing`."""

    @abstractmethod
    def _become_ready(self, deadline: float) -> None:
        """Block until the server can do its work."""

    def _until(self, condition: Callable[[], bool], deadline: float) -> None:
        while not condition():
            self._require_alive()
            if time.monotonic() > deadline:
                raise StartFailed(f"{self.name} was not ready after {self.start_timeout_seconds} s.{self._log_end()}")
            time.sleep(POLL_SECONDS)

    def _require_alive(self) -> None:
        if self.child is None:
            raise StartFailed(f"{self.name} was killed before it was ready")
        code = self.child.exit_code
        if code is not None:
            raise StartFailed(f"{self.name} ended with {describe_exit(code)} before it was ready.{self._log_end()}")

    def _log_end(self) -> str:
        return f" The end of {self.log_path}:\n{last_lines(self.log_path)}"
