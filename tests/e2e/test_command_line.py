"""The page about writing an Agent is the script: its commands are run as they are written, by the command line only."""

import asyncio
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.local.processes import ROOT
from tests.support.platform import Platform

PAGE = ROOT / "docs" / "guides" / "write-an-agent.md"
FILE = "agents/blocker_list.toml"
YES = b"y\n"

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(240),
]


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the page: commands, a file, or what the commands before it print."""

    language: str
    text: str


def blocks() -> list[Block]:
    """Return the blocks of the page, in order."""
    return [Block(*found) for found in re.findall(r"```(sh|toml|text)\n(.*?)```", PAGE.read_text(), re.DOTALL)]


class Terminal:
    """A shell in a folder, whose user is asked questions and says yes."""

    def __init__(self, platform: Platform, organisation: str, folder: Path) -> None:
        self._folder = folder
        programs = folder / "bin"
        programs.mkdir()
        towpath = programs / "towpath"
        towpath.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m services.cli "$@"\n')
        towpath.chmod(0o755)
        self._environment = {
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "TOWPATH_URL": platform.stack.gateway_url,
            "TOWPATH_TOKEN": platform.caller(organisation).token or "",
        }

    async def run(self, text: str) -> str:
        """Run a block; return what it printed, with single spaces."""
        pipe = asyncio.subprocess.PIPE
        shell = await asyncio.create_subprocess_exec(
            "sh", "-euc", text, cwd=self._folder, env=self._environment, stdin=pipe, stdout=pipe, stderr=pipe
        )
        printed, errors = await shell.communicate(YES)
        assert shell.returncode == 0, (text, printed, errors)
        return " ".join(printed.decode().split())


async def test_the_page_about_writing_an_agent_goes_as_it_says(
    platform: Platform, organisation: str, tmp_path: Path
) -> None:
    terminal, printed, compared = Terminal(platform, organisation, tmp_path), "", 0
    for block in blocks():
        match block.language:
            case "toml":
                (tmp_path / FILE).parent.mkdir()
                (tmp_path / FILE).write_text(block.text)
            case "text":
                assert [line for line in block.text.splitlines() if line not in printed] == [], printed
                compared += 1
            case _:
                printed = await terminal.run(block.text)
                # What follows an end, such as the proposals, is there a moment later.
                await platform.settled()

    assert FILE in PAGE.read_text()
    assert compared > 0
    assert len(list((tmp_path / "agents").glob("*.toml"))) > 1  # what the last command exported
