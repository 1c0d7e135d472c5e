"""`towpath inbox`: what waits for a decision."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from contracts.effects import Confidence, EffectKind
from services.cli.gateway import gateway_in
from services.cli.options import AgentKey, AllUsers, AsJson, Cursor, Limit, Project, User
from services.cli.output import moment, print_json, print_table, say, say_more

Document = dict[str, Any]


def inbox(
    context: typer.Context,
    kind: Annotated[EffectKind | None, typer.Option("--kind", help="Only of this kind.")] = None,
    agent_key: AgentKey = None,
    project: Project = None,
    confidence: Annotated[Confidence | None, typer.Option("--confidence", help="Only this sure.")] = None,
    user: User = None,
    *,
    all_users: AllUsers = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List what waits for a decision, newest first, and how much there is of each Agent and kind."""
    query = {
        "kind": kind,
        "agent_key": agent_key,
        "project": project,
        "confidence": confidence,
        "user": user,
        "all_users": all_users,
        "limit": limit,
        "cursor": cursor,
    }
    answer = gateway_in(context).get("/api/inbox", query)
    if as_json:
        print_json(answer)
        return
    _print_counts(answer)
    if answer["proposals"]:
        say("")
        print_table(("ID", "KIND", "SURE", "AGENT", "CREATED (UTC)", "TITLE"), _rows(answer["proposals"]))
    say_more(answer["next_cursor"])


def _print_counts(answer: Document) -> None:
    if not answer["counts"]:
        say("Nothing waits for a decision.")
        return
    counts = [(str(each["count"]), each["kind"], each["agent_key"]) for each in answer["counts"]]
    print_table(("COUNT", "KIND", "AGENT"), [*counts, (str(answer["total"]), "all", "")])


def _rows(proposals: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in proposals:
        created = moment(each["created_at"])
        yield each["id"], each["kind"], each["confidence"], each["agent_key"], created, each["title"]
