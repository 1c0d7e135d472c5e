"""`towpath schedules`: what fires which Agent for whom."""

from collections.abc import Iterable
from typing import Any

import typer

from services.cli.gateway import gateway_in
from services.cli.options import AgentKey, AsJson, Cursor, Limit, examples
from services.cli.output import moment, print_json, print_page

app = typer.Typer(no_args_is_help=True, help="What fires which Agent for whom, when it did last and when it will next.")

Document = dict[str, Any]


@app.command("list", epilog=examples("towpath schedules list", "towpath schedules list --agent operating_pulse"))
def list_schedules(
    context: typer.Context,
    agent_key: AgentKey = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the schedules in force: yours, or for backends and admins those of the organisation."""
    query = {"agent_key": agent_key, "limit": limit, "cursor": cursor}
    answer = gateway_in(context).get("/api/schedules", query)
    if as_json:
        print_json(answer)
    else:
        columns = ("AGENT", "PROJECT", "USER", "SCHEDULE", "NEXT (UTC)", "LAST (UTC)", "CAME TO")
        print_page(columns, _rows(answer["schedules"]), answer["next_cursor"])


def _rows(schedules: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in schedules:
        member, fires, last = each["member"], each["next_fires"], each["last_fire"]
        coming = moment(fires[0]["fires_at"]) if fires else ""
        past = ("", "") if last is None else (moment(last["due_at"]), _came_to(last["decision"]))
        yield each["agent_key"], member["project"], member["user"], each["text"], coming, *past


def _came_to(decision: Document | None) -> str:
    if decision is None:
        return "undecided"
    return str(decision["run_id"] or f"{decision['outcome']}: {decision['reason']}")
