"""The commands that the pages and the help show are commands that there are."""

import re
import shlex
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperGroup

from services.cli.app import app, run
from tests.architecture.repository import first_cells, page

PROGRAM = "towpath "
COMMANDS = page("docs/command-line.md")
TROUBLESHOOTING = page("docs/troubleshooting.md")


def shown_in(text: str) -> list[str]:
    """Return the commands that stand on lines of their own."""
    lines = (line.strip() for line in text.splitlines())
    return [line.removeprefix(PROGRAM) for line in lines if line.startswith(PROGRAM)]


@pytest.mark.parametrize(
    "command", shown_in("".join(re.findall(r"```sh\n(.*?)```", COMMANDS + TROUBLESHOOTING, re.DOTALL)))
)
def test_a_command_of_the_page_is_understood(command: str) -> None:
    # Asked for its help, a command reads its options and does nothing.
    assert run([*shlex.split(command), "--help"]) == 0


LISTED = [cell for cell in first_cells(COMMANDS) if cell.startswith(PROGRAM)]


def commands_of(command: object, path: str) -> Iterator[str]:
    """Yield every command below this one, as it is typed."""
    if not isinstance(command, TyperGroup):
        yield path
        return
    for name, each in command.commands.items():
        yield from commands_of(each, f"{path} {name}")


def test_every_command_is_listed_once() -> None:
    assert sorted(LISTED) == sorted(commands_of(typer.main.get_command(app), PROGRAM.strip()))


@pytest.mark.parametrize("command", LISTED)
def test_every_example_of_a_command_is_understood(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")  # so that no example goes over two lines
    assert run([*command.removeprefix(PROGRAM).split(), "--help"]) == 0

    examples = shown_in(capsys.readouterr().out.partition("Examples")[2])

    assert examples
    assert all(f"{PROGRAM}{example}".startswith(command) for example in examples)
    assert [example for example in examples if run([*shlex.split(example), "--help"]) != 0] == []
