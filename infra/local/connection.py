"""Where a running `up` answers, and with which token, for the command line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.stack import Stack

FILE = "connection.json"


@contextmanager
def announced(stack: Stack) -> Iterator[None]:
    """Keep address and token in the data folder, readable by its owner only, until the end."""
    path = stack.settings.data_folder / FILE
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"gateway_url": stack.gateway_url, "token": stack.token()}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
