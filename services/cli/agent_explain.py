"""`towpath agents explain`: why an Agent is on or off somewhere, and when it fires."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from services.cli.agents import PATH, Key
from services.cli.gateway import gateway_in
from services.cli.options import AsJson, examples
from services.cli.output import moment, print_json, print_table, say

Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command to those for Agents."""
    app.command(
        epilog=examples("towpath agents explain operating_pulse", "towpath agents explain noter --project apollo")
    )(explain)


def explain(
    context: typer.Context,
    key: Key,
    project: Annotated[str | None, typer.Option("--project", help="In this project.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="For another user; for backends and admins.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say in words why an Agent is on or off in one place, who set it, and what its schedule does there."""
    answer = gateway_in(context).get(f"{PATH}/{key}/explain", {"project": project, "user": user})
    if as_json:
        print_json(answer)
        return
    say(answer["summary"])
    for detail in answer["details"]:
        say(f"  - {detail}")
    say("")
    print_table(("VALUE", "IS", "DECIDED BY"), _rows(answer["effective"]["values"]))
    if answer["schedules"]:
        say("")
        columns = ("SCHEDULE", "PROJECT", "USER", "LAST (UTC)", "NEXT (UTC)")
        print_table(columns, _schedule_rows(answer["schedules"]))


def _rows(values: dict[str, Document]) -> Iterable[tuple[str, ...]]:
    for name, value in values.items():
        decided_by = value["decided_by"]
        scope = "" if decided_by is None else f"{decided_by['scope']} {decided_by['scope_id']}".strip()
        yield name, "-" if value["value"] is None else str(value["value"]), scope


def _schedule_rows(schedules: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in schedules:
        last, coming = each["last_fire"], each["next_fires"]
        times = moment(last and last["due_at"]), moment(coming[0]["fires_at"] if coming else None)
        yield each["text"], each["member"]["project"], each["member"]["user"], *times
