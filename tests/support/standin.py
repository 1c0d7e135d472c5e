"""A process that behaves as a service does towards its supervisor, and does nothing else.

`STANDIN_BROKEN`, `STANDIN_STUBBORN` and `STANDIN_SLOW` name the stand-in that fails at its start, ignores SIGTERM, or
never becomes ready.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from infra.local.parts import SERVICE_STARTED, Answers, Finishes, Logs, Part, Stage
from infra.local.ports import LOOPBACK
from infra.local.settings import LocalSettings


class Ready(BaseHTTPRequestHandler):
    """Answers 200 to every GET."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent: standard error carries log lines."""


def standins(settings: LocalSettings) -> Sequence[Part]:
    """Return a gateway, two services and a provisioning that are all stand-ins."""
    port = settings.gateway_port
    ready = Answers(f"{settings.gateway_url}/health/ready")
    command = _command("gateway", "--port", str(port))
    gateway = Part("gateway", "gateway", Stage.SERVICE, command, ready, port, "GATEWAY_PORT", 5.0)
    logs = Logs(SERVICE_STARTED)
    gating = Part("gating", "gating", Stage.SERVICE, _command("gating"), logs, stop_timeout_seconds=5.0)
    runner = Part("runner-1", "runner", Stage.SERVICE, _command("runner-1"), logs, stop_timeout_seconds=5.0)
    provision = Part("provision", "provision", Stage.PREPARATION, _command("provision", "--once"), Finishes())
    return [gateway, gating, runner, provision]


def _command(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.support.standin", "--name", name, *arguments)


def _log(name: str, event: str, level: str = "info", **facts: object) -> None:
    line = {"timestamp": datetime.now(UTC).isoformat(), "level": level, "event": event, "service": name, **facts}
    print(json.dumps(line), file=sys.stderr, flush=True)  # noqa: T201 - a service logs to standard error


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--once", action="store_true")
    given = parser.parse_args()
    if os.environ.get("STANDIN_BROKEN") == given.name:
        sys.exit("the flux capacitor is missing")
    if not given.once:
        _serve(given.name, given.port)


def _serve(name: str, port: int | None) -> None:
    stop = threading.Event()
    is_stubborn = os.environ.get("STANDIN_STUBBORN") == name
    signal.signal(signal.SIGTERM, lambda *_: None if is_stubborn else stop.set())
    if port is not None:
        server = ThreadingHTTPServer((LOOPBACK, port), Ready)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    event = "service.waiting" if os.environ.get("STANDIN_SLOW") == name else SERVICE_STARTED
    _log(name, event, pid=os.getpid())
    stop.wait()
    _log(name, "service.stopped")


if __name__ == "__main__":
    main()
