"""`towpath events explain`: what became of an event."""

from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import quote

import typer

from services.cli.gateway import gateway_in
from services.cli.options import AsJson, examples
from services.cli.output import moment, print_facts, print_json, print_table, say

Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command to those for events."""
    app.command(
        epilog=examples(
            "towpath events explain checkin-1", "towpath events explain checkin-1 --source /my-product --json"
        )
    )(explain)


def explain(
    context: typer.Context,
    event: Annotated[str, typer.Argument(metavar="ID", help="An event, by its id or its key.", show_default=False)],
    source: Annotated[
        str | None, typer.Option("--source", help="Its source, when the id is not among the latest.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say in words what became of an event: each decision, why, and what came of it."""
    answer = gateway_in(context).get(f"/api/events/{quote(event, safe='')}/explain", {"source": source})
    if as_json:
        print_json(answer)
        return
    say(answer["summary"])
    say("")
    print_facts(_facts(answer["event"]))
    if answer["decisions"]:
        say("")
        print_table(("AGENT", "OUTCOME", "REASON", "RUN", "PROPOSALS"), _rows(answer["decisions"]))
    for decided in answer["decisions"]:
        say(f"\n{decided['decision']['explanation']}")
        for sentence in decided["words"]:
            say(f"  - {sentence}")


def _facts(event: Document) -> dict[str, str]:
    return {
        "id": event["id"],
        "key": event["key"],
        "type": event["type"],
        "project": event["project"] or "",
        "user": event["user"] or "",
        "accepted": f"{moment(event['accepted_at'])} UTC",
        "decided": f"{moment(event['decided_at'])} UTC" if event["decided_at"] else "",
    }


def _rows(decisions: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in decisions:
        decision, proposals = each["decision"], str(len(each["proposals"])) if each["proposals"] else ""
        yield decision["agent_key"], decision["outcome"], decision["reason"], decision["run_id"] or "", proposals
