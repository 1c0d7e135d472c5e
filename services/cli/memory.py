"""`towpath memory`: what is remembered of users and projects."""

from typing import Annotated, Any

import typer

from services.cli import memory_history
from services.cli.gateway import gateway_in
from services.cli.options import AsJson, User, examples
from services.cli.output import moment, print_json, print_table, say

app = typer.Typer(no_args_is_help=True, help="What is remembered of users and projects.")

Document = dict[str, Any]


@app.command(epilog=examples("towpath memory show", "towpath memory show --user ada --project apollo"))
def show(
    context: typer.Context,
    user: User = None,
    project: Annotated[str | None, typer.Option("--project", help="Also of this project, for its members.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Only the block of this label.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the memory blocks of a user, and of a project when one is named."""
    answer = gateway_in(context).get("/api/memory", {"user": user, "project": project, "label": label})
    if as_json:
        print_json(answer)
        return
    rows = [row for block in answer["blocks"] for row in _rows(block)]
    if rows:
        print_table(("ID", "OF", "BLOCK", "FIELD", "VERSION", "CHANGED (UTC)", "TEXT"), rows)
    else:
        say("There is nothing.")


def _rows(block: Document) -> list[tuple[str, ...]]:
    owner, version = f"{block['owner']['type']} {block['owner']['id']}", str(block["version"])
    changed = moment(block["updated_at"])
    return [
        (block["id"], owner, block["label"], name, version, changed, text) for name, text in block["fields"].items()
    ]


memory_history.add_to(app)
