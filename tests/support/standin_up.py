"""`up` with stand-ins for the services, and real servers: `python -m tests.support.standin_up`."""

import asyncio
import sys

from infra.local.settings import LocalSettings
from infra.local.up import run
from tests.support.standin import standins

if __name__ == "__main__":
    sys.exit(asyncio.run(run(LocalSettings(), standins)))
