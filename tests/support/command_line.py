"""The command line as a person has it: a process of its own."""

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import Any

import orjson

from infra.local.processes import ROOT
from tests.support.caller import Caller


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command printed, and the code it ended with."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.exit_code == 0, self
        return orjson.loads(self.out)


async def towpath(caller: Caller, *arguments: str) -> Ended:
    """Run `towpath` with the address and the token of this caller."""
    environment = {**os.environ, "TOWPATH_URL": caller.gateway_url, "TOWPATH_TOKEN": caller.token or ""}
    command = (sys.executable, "-m", "services.cli", *arguments)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())
