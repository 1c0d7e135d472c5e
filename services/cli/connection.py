"""Which gateway is meant, and with which token."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from services.cli.errors import NoToken

DEFAULT_URL = "http://127.0.0.1:8080"
FILE = "connection.json"
"""`up` keeps its address and a token in it, inside its data folder, while it runs."""
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Connection:
    """Where requests go, and what they show."""

    url: str
    token: str


def data_folder() -> Path:
    """Return the data folder of `up`, as its setting DATA_DIR says."""
    return _ROOT / (os.environ.get("DATA_DIR") or ".towpath")


def find_connection(url: str | None, token: str | None, folder: Path) -> Connection:
    """Return what was asked for, completed by a running `up`; raises NoToken.

    The token of `up` is shown to its own gateway only.
    """
    running = _running(folder)
    wanted = (url or (running.url if running else DEFAULT_URL)).rstrip("/")
    if token:
        return Connection(wanted, token)
    if running is not None and running.url == wanted:
        return running
    raise NoToken(
        f"There is no token for {wanted}. Pass one with --token or TOWPATH_TOKEN."
        " On this machine, `./taskw up` runs a gateway whose token is found by itself."
    )


def _running(folder: Path) -> Connection | None:
    try:
        told = json.loads((folder / FILE).read_text())
        return Connection(told["gateway_url"].rstrip("/"), told["token"])
    except (OSError, ValueError, KeyError):
        return None
