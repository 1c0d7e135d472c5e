"""`towpath settings`: what is on, and which scope decided it."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from contracts.agents import Scope
from services.cli.bindings import Id, said_by
from services.cli.errors import Refused
from services.cli.gateway import gateway_in
from services.cli.options import AsJson, examples
from services.cli.output import print_json, print_table, say

app = typer.Typer(no_args_is_help=True, help="What is on, and why.")

Document = dict[str, Any]


@app.command(
    epilog=examples(
        "towpath settings show",
        "towpath settings show --scope project --id apollo",
        "towpath settings show --agent noter --json",
    )
)
def show(
    context: typer.Context,
    scope: Annotated[Scope, typer.Option("--scope", help="As seen from here.")] = Scope.USER,
    scope_id: Id = None,
    agent_key: Annotated[str | None, typer.Option("--agent", help="Every value of this one, by its key.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say for every Agent what a scope says itself, and what holds there in the end. Without --id it is your own."""
    answer = gateway_in(context).get("/api/settings", {"scope": scope, "scope_id": scope_id})
    if agent_key is not None:
        answer["settings"] = [each for each in answer["settings"] if each["agent_key"] == agent_key]
        if not answer["settings"]:
            raise Refused(f"There is no Agent '{agent_key}'. `towpath agents list` shows those that there are.")
    if as_json:
        print_json(answer)
    elif agent_key is not None:
        _show_one(answer["settings"][0])
    else:
        print_table(("AGENT", "VERSION", "SAYS", "HOLDS"), _rows(answer["settings"]))


def _rows(settings: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in settings:
        yield each["agent_key"], str(each["agent_version"]), said_by(each["says"]), each["explanation"]


def _show_one(setting: Document) -> None:
    say(setting["explanation"])
    rows = [(name, _decider(value), value["explanation"]) for name, value in setting["values"].items()]
    print_table(("VALUE", "DECIDED BY", "EXPLANATION"), rows)


def _decider(value: Document) -> str:
    by = value["decided_by"]
    return "" if by is None else f"{by['scope']} {by['scope_id']}".strip()
