"""Options that several commands take."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print what the gateway answered, for programs.")]
AgentKey = Annotated[str | None, typer.Option("--agent", help="Only of this Agent, by its key.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="How many at most.")]
Cursor = Annotated[str | None, typer.Option("--cursor", help="Where the next page begins, as the page before said.")]
Project = Annotated[str | None, typer.Option("--project", help="Only of this project.")]
User = Annotated[str | None, typer.Option("--user", help="Of another user; for backends and admins.")]
AllUsers = Annotated[bool, typer.Option("--all-users", help="Of the whole organisation; for backends and admins.")]
EXAMPLES = "[bold]Examples[/bold]"


def examples(*lines: str) -> str:
    """Return the end of a help text: one command with its purpose on each line."""
    return "\n\n".join([EXAMPLES, *lines])
