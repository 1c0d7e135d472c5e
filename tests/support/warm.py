"""Starts services without each of them importing everything anew: a warm process forks, and the fork becomes the service.

Importing takes a service one to two seconds of CPU, and tests start hundreds. What runs then is the same module, in a
process of its own with its own environment and log, tied to the life of the test process like any other part.

As a program, `python -m tests.support.warm NAME`, this is the warm process. It answers each request, one line of JSON,
with a line that is the process id, and with another that is the exit code when that process has ended.
"""

import ctypes
import importlib
import json
import os
import random
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
import weakref
from pathlib import Path
from threading import Lock
from typing import Any

from infra.local.processes import ROOT, Program, last_lines
from infra.local.tether import PR_SET_PDEATHSIG

_WARM = (
    "httptools",
    "uvicorn",
    "uvicorn.protocols.http.httptools_impl",
    "infra.offline_model.app",
    "services.gateway.app",
    "services.gating.app",
    "services.scheduler.app",
    "services.runner.app",
)
_MODULE_AT = 2
"""Where `python -m module` names the module; arguments may follow."""
_START_SECONDS = 60.0

_cold = Program._popen


class WarmProcess:
    """A process that the warm one has forked, with as much of `subprocess.Popen` as a `Child` needs."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(True)
        self._answers = connection.detach()
        # One thread may wait for the end while another looks: it is closed when nobody can do either.
        weakref.finalize(self, os.close, self._answers)
        self._reading = Lock()
        self._exit_code: int | None = None
        self.pid = self._number()

    def poll(self) -> int | None:
        """Return the exit code, the negated signal number, or None while it runs."""
        self._look(0.0)
        return self._exit_code

    def wait(self, timeout: float | None = None) -> int:
        """Block until the end and return the exit code; raise `TimeoutExpired` when it takes longer."""
        self._look(timeout)
        if self._exit_code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return self._exit_code

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing happens when the process has already ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _look(self, timeout: float | None) -> None:
        if self._exit_code is not None or not select.select([self._answers], [], [], timeout)[0]:
            return
        with self._reading:
            if self._exit_code is None:
                self._exit_code = self._number()

    def _number(self) -> int:
        return int(b"".join(iter(lambda: os.read(self._answers, 1).strip(), b"")))


class _Warmth:
    """The warm process of this test process, started when it is needed first."""

    def __init__(self) -> None:
        self._name = f"\0towpath-warm-{os.getpid()}-{time.monotonic_ns()}"
        self._process: subprocess.Popen[bytes] | None = None

    def fork(self, program: Program) -> WarmProcess:
        """Start a module."""
        connection = self._connected(program.log_path.with_name("warm.log"))
        request = {
            "module": program.command[_MODULE_AT],
            "arguments": program.command[_MODULE_AT + 1 :],
            "environment": dict(program.environment or {}),
            "log": str(program.log_path),
        }
        connection.sendall(json.dumps(request).encode() + b"\n")
        return WarmProcess(connection)

    def _connected(self, log_path: Path) -> socket.socket:
        if self._process is None:
            command = (sys.executable, "-m", "tests.support.warm", self._name[1:])
            self._process = _cold(Program("warm", command, log_path))
        give_up_at = time.monotonic() + _START_SECONDS
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(self._name)
            except ConnectionRefusedError as error:
                connection.close()
                if self._process.poll() is not None or time.monotonic() > give_up_at:
                    raise RuntimeError(f"the warm process did not start:\n{last_lines(log_path)}") from error
                time.sleep(0.05)
            else:
                return connection


_warmth = _Warmth()


def start_services_warm() -> None:
    """From now on have this test process start every module of ours so, unless its environment concerns the interpreter."""
    Program._popen = _popen  # type: ignore[assignment, method-assign]


def _popen(program: Program) -> subprocess.Popen[bytes] | WarmProcess:
    environment, command = program.environment, program.command
    is_module = len(command) > _MODULE_AT and command[:_MODULE_AT] == (sys.executable, "-m")
    if environment is None or "LD_PRELOAD" in environment or not is_module:
        return _cold(program)
    return _warmth.fork(program) if command[_MODULE_AT].startswith(("services.", "infra.")) else _cold(program)


class _Forks:
    """The warm process itself: forks on request, and tells how each fork has ended."""

    def __init__(self, name: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind("\0" + name)
        self._listener.listen(64)
        self._asked: dict[int, socket.socket] = {}
        self._woken, self._waking = os.pipe()
        for end in (self._woken, self._waking):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def next(self) -> dict[str, Any]:
        """Return in each fork what it is to become; the warm process itself stays here until it is killed."""
        while True:
            ready, _, _ = select.select([self._listener.fileno(), self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, 4_096)
                self._tell_of_ends()
            if self._listener.fileno() in ready and (request := self._fork()) is not None:
                return request

    def _fork(self) -> dict[str, Any] | None:
        connection, _ = self._listener.accept()
        request: dict[str, Any] = json.loads(connection.makefile("rb").readline())
        warm, pid = os.getpid(), os.fork()
        if pid == 0:
            _leave(warm)
            return request
        self._asked[pid] = connection
        connection.sendall(b"%d\n" % pid)
        return None

    def _tell_of_ends(self) -> None:
        while self._asked:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with self._asked.pop(pid) as connection:
                connection.send(b"%d\n" % os.waitstatus_to_exitcode(status), socket.MSG_NOSIGNAL)


def _leave(parent: int) -> None:
    """Let go of everything that is the parent's, but end with it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the warm process ended before the child started")
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.closerange(3, 1_024)
    os.setsid()


def _become(request: dict[str, Any]) -> None:
    """Run the module as `python -m` does."""
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    random.seed()
    sys.argv[1:] = request["arguments"]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


def main(name: str) -> None:
    """Import everything, and serve until killed."""
    os.chdir(ROOT)
    for module in _WARM:
        importlib.import_module(module)
    _become(_Forks(name).next())


if __name__ == "__main__":
    main(sys.argv[1])
