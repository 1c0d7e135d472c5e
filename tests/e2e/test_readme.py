"""The first five minutes of the README, run as they are written and compared with the answers shown there."""

import asyncio
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.local.processes import ROOT
from tests.support.platform import Platform
from tests.support.waiting import until_seen

START = "./taskw up RUNNERS=2"
GATEWAY = "http://127.0.0.1:8080"
TOKEN = "./taskw token"

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]


@dataclass(frozen=True, slots=True)
class Command:
    """One block of commands, and the answer that is shown below it, if one is."""

    text: str
    shown: Any

    @property
    def may_be_repeated(self) -> bool:
        """Whether the reader is told to poll: whoever only reads may ask again until the answer is there."""
        return "-X" not in self.text and "-d" not in self.text


def five_minutes() -> list[Command]:
    """Return the commands of the section, in order."""
    section = (ROOT / "README.md").read_text().partition("## The first five minutes")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```(?:\n\n```json\n(.*?)```)?", section, re.DOTALL)
    return [Command(text, orjson.loads(shown) if shown else None) for text, shown in blocks]


class Terminal:
    """One shell that keeps its variables from command to command, as the reader's does."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self._platform = platform
        self._variables = folder / "variables.sh"
        self._variables.touch()

    async def run(self, text: str) -> str:
        """Run a block; return what it printed."""
        here = text.replace(GATEWAY, self._platform.stack.gateway_url)
        here = here.replace(TOKEN, f"{sys.executable} -m infra.local.token")
        script = f"set -eu\n. {self._variables}\n{here}\nexport -p > {self._variables}\n"
        environment = {**os.environ, "DATA_DIR": str(self._platform.stack.settings.data_folder)}
        shell = await asyncio.create_subprocess_exec(
            "sh", "-c", script, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await shell.communicate()
        assert shell.returncode == 0, text
        return printed.decode()

    async def answer(self, command: Command) -> Any:
        """Run a block that shows an answer; return the answer as it is here."""
        return orjson.loads(await self.run(command.text))


def shortened(real: Any, shown: Any) -> Any:
    """Return of the real answer what the shown one has: the same keys, and as many entries of each list."""
    if isinstance(shown, dict) and isinstance(real, dict):
        return {name: shortened(real[name], value) for name, value in shown.items() if name in real}
    if isinstance(shown, list) and isinstance(real, list) and shown:
        return [next((found for one in real if (found := shortened(one, value)) == value), real) for value in shown]
    return real


async def test_the_first_five_minutes_go_as_the_readme_says(platform: Platform, tmp_path: Path) -> None:
    start, *commands = five_minutes()
    assert start.text.strip() == START
    assert len(platform.runners) == 2

    terminal = Terminal(platform, tmp_path)
    for command in commands:
        if command.shown is None:
            await terminal.run(command.text)
        else:
            await _compare(terminal, command)


async def _compare(terminal: Terminal, command: Command) -> None:
    async def answer() -> Any:
        return shortened(await terminal.answer(command), command.shown)

    if command.may_be_repeated:
        await until_seen(answer, lambda seen: bool(seen == command.shown))
    else:
        assert await answer() == command.shown
