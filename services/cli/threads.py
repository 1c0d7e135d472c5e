"""`towpath threads`: what Agents said and had done for a user, to be read."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from services.cli.gateway import gateway_in
from services.cli.options import AgentKey, AsJson, Cursor, Limit, User, examples
from services.cli.output import indented, moment, pretty, print_facts, print_json, print_page, print_text, say

app = typer.Typer(no_args_is_help=True, help="What Agents said and had done, run by run, to be read.")

Document = dict[str, Any]

_PATH = "/api/threads"
_A_RUN = "run_a3ztj53hnut5twaiv4x6cnh3ja"


@app.command(
    "list", epilog=examples("towpath threads list", "towpath threads list --user ada --agent chat_memory_reviewer")
)
def list_threads(
    context: typer.Context,
    agent_key: AgentKey = None,
    user: User = None,
    *,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List the threads of a user, newest first."""
    query = {"agent_key": agent_key, "user": user, "limit": limit, "cursor": cursor}
    answer = gateway_in(context).get(_PATH, query)
    if as_json:
        print_json(answer)
        return
    columns = ("ID", "STATUS", "AGENT", "CREATED (UTC)", "TITLE")
    print_page(columns, _rows(answer["threads"]), answer["next_cursor"])


def _rows(threads: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for thread in threads:
        yield thread["id"], thread["status"], thread["agent_key"], moment(thread["created_at"]), thread["title"]


@app.command(epilog=examples(f"towpath threads show {_A_RUN}", f"towpath threads show {_A_RUN} --json"))
def show(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A thread, by the id of its run.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one thread: what started the run, and what the Agent said and had done, round by round."""
    thread = gateway_in(context).get(f"{_PATH}/{run_id}")
    if as_json:
        print_json(thread)
        return
    print_facts(
        {"title": thread["title"], "id": thread["id"], "status": thread["status"], "user": thread["user"] or ""}
    )
    for message in thread["messages"]:
        print_text(f"{message['role']}, {moment(message['at'])} UTC", pretty(message["content"]))
        for event in message["tool_events"]:
            say(f"  {event['tool']} {event['command']}{_ending(event)}")
    if thread["output"] is not None:
        print_text("output", indented(thread["output"]))
    if thread["error"] is not None:
        say(f"\n{thread['error']['code']}: {thread['error']['detail']}")


def _ending(event: Document) -> str:
    if event["refused"]:
        return ": refused"
    code = "" if event["exit_code"] is None else f" (exit code {event['exit_code']})"
    return f"{code}: no output yet" if event["output"] is None else f"{code}: {event['output']}"
