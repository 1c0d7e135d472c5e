"""`towpath agents`: which Agents there are, and what their versions say."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from contracts.agent_kinds import AgentStatus, AgentType, Visibility
from contracts.lanes import Lane
from services.cli.gateway import gateway_in
from services.cli.options import AsJson, examples
from services.cli.output import indented, moment, print_facts, print_json, print_table, print_text, say, say_rest

app = typer.Typer(no_args_is_help=True, help="Agents as data: look at them, change them, publish them, run them.")

Document = dict[str, Any]
PATH = "/api/agents"

Key = Annotated[str, typer.Argument(metavar="KEY", help="An Agent, by its key.", show_default=False)]
Whose = Annotated[
    Visibility | None,
    typer.Option("--visibility", help="The organisation's own or the server's; the own one if there is one."),
]


@app.command(
    "list",
    epilog=examples(
        "towpath agents list", "towpath agents list --status paused", "towpath agents list --search memory"
    ),
)
def list_agents(
    context: typer.Context,
    status: Annotated[AgentStatus | None, typer.Option("--status", help="Only with this status.")] = None,
    agent_type: Annotated[AgentType | None, typer.Option("--type", help="Only of this type.")] = None,
    category: Annotated[str | None, typer.Option("--category", help="Only of this category.")] = None,
    priority_level: Annotated[Lane | None, typer.Option("--lane", help="Only of this lane.")] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only with this tag.")] = None,
    search: Annotated[str | None, typer.Option("--search", help="Part of key, name or description.")] = None,
    skip: Annotated[int, typer.Option("--skip", min=0, help="How many to leave out first.")] = 0,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000, help="How many at most.")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """List the Agents that your organisation may use; its own one stands for the server's of the same key."""
    query = {
        "status": status,
        "agent_type": agent_type,
        "category": category,
        "priority_level": priority_level,
        "tag": tag,
        "search": search,
        "skip": skip,
        "limit": limit,
    }
    answer = gateway_in(context).get(PATH, query)
    if as_json:
        print_json(answer)
    elif not answer["agents"]:
        say("There are none.")
    else:
        print_table(("KEY", "STATUS", "VERSION", "WHOSE", "LANE", "NAME"), _rows(answer["agents"]))
        say_rest(answer["total"], skip + len(answer["agents"]))


def _rows(agents: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for agent in agents:
        number = "" if agent["published"] is None else str(agent["published"]["number"])
        version = " + ".join(part for part in (number, "draft" if agent["has_draft"] else "") if part)
        yield agent["key"], agent["status"], version, agent["visibility"], agent["priority_level"], agent["name"]


@app.command(epilog=examples("towpath agents show noter", "towpath agents show noter --visibility server --json"))
def show(context: typer.Context, key: Key, visibility: Whose = None, *, as_json: AsJson = False) -> None:
    """Show one Agent with its published configuration, and its draft if you may write it."""
    agent = gateway_in(context).get(f"{PATH}/{key}", {"visibility": visibility})
    if as_json:
        print_json(agent)
        return
    print_facts(_facts(agent))
    if agent["configuration"] is not None:
        print_text("configuration", indented(agent["configuration"]))
    if agent["draft"] is not None:
        print_text("draft", indented(agent["draft"]["content"]))


def _facts(agent: Document) -> dict[str, str]:
    published, draft = agent["published"], agent["draft"]
    return {
        "key": agent["key"],
        "name": agent["name"],
        "status": agent["status"],
        "whose": agent["visibility"],
        "type": agent["agent_type"],
        "category": agent["category"],
        "tags": ", ".join(agent["tags"]),
        "published": "" if published is None else f"version {published['number']}, {_by(published)}",
        "note": "" if published is None else published["note"],
        "draft": "" if draft is None else f"saved by {draft['saved_by']}, {moment(draft['saved_at'])} UTC",
        "archived": f"by {agent['archived_by']}, {moment(agent['archived_at'])} UTC" if agent["archived_at"] else "",
    }


def _by(version: Document) -> str:
    return f"by {version['author']}, {moment(version['published_at'])} UTC"


@app.command(epilog=examples("towpath agents versions noter"))
def versions(context: typer.Context, key: Key, visibility: Whose = None, *, as_json: AsJson = False) -> None:
    """List the versions of an Agent, the latest first: who published each, when and why."""
    answer = gateway_in(context).get(f"{PATH}/{key}/versions", {"visibility": visibility})
    if as_json:
        print_json(answer)
        return
    columns = ("VERSION", "PUBLISHED (UTC)", "BY", "CONTENT", "NOTE")
    print_table(
        columns,
        [
            (str(each["number"]), moment(each["published_at"]), each["author"], each["content_hash"][:12], each["note"])
            for each in answer["versions"]
        ],
    )


@app.command(epilog=examples("towpath agents compare noter 1 2"))
def compare(
    context: typer.Context,
    key: Key,
    older: Annotated[int, typer.Argument(metavar="FROM", min=1, help="A version.", show_default=False)],
    newer: Annotated[int, typer.Argument(metavar="TO", min=1, help="Another one.", show_default=False)],
    visibility: Whose = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Compare two versions of an Agent, field by field."""
    query = {"from": older, "to": newer, "visibility": visibility}
    answer = gateway_in(context).get(f"{PATH}/{key}/compare", query)
    if as_json:
        print_json(answer)
    else:
        print_changes(answer["changes"])


@app.command(epilog=examples("towpath agents validate noter"))
def validate(context: typer.Context, key: Key, visibility: Whose = None, *, as_json: AsJson = False) -> None:
    """Say whether the draft of an Agent could be published, which fields are wrong, and what would change."""
    answer = gateway_in(context).send("POST", f"{PATH}/{key}/validate", {}, {"visibility": visibility})
    if as_json:
        print_json(answer)
    elif answer["valid"]:
        say("The draft can be published.")
        print_changes(answer["changes"])
    else:
        say("The draft cannot be published:")
        for error in answer["errors"]:
            say(f"  {error['field']}: {error['message']}")
    if not answer["valid"]:
        raise typer.Exit(1)


def print_changes(changes: list[Document]) -> None:
    """Print one row for each field that differs."""
    if not changes:
        say("Nothing differs.")
        return
    rows = [(change["field"], _short(change["old"]), _short(change["new"])) for change in changes]
    print_table(("FIELD", "OLD", "NEW"), rows)


def _short(value: Any, most: int = 60) -> str:
    text = "-" if value is None else value if isinstance(value, str) else indented(value)
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."
