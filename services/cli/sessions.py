"""`towpath sessions`: what was said in the chats of a product."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from services.cli.gateway import gateway_in
from services.cli.options import AsJson, examples
from services.cli.output import moment, print_facts, print_json, print_text, say

app = typer.Typer(no_args_is_help=True, help="What was said in the chats of a product.")

Document = dict[str, Any]
_Id = Annotated[str, typer.Argument(metavar="ID", help="A session, by its id.", show_default=False)]


@app.command(epilog=examples("towpath sessions show chat-51c2", "towpath sessions show chat-51c2 --after 99"))
def show(
    context: typer.Context,
    session_id: _Id,
    after: Annotated[int, typer.Option("--after", min=-1, help="Only messages behind this position.")] = -1,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many messages at most.")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a session: which turn holds it, and its messages in order."""
    session = gateway_in(context).get(_of(session_id), {"cursor": after, "limit": limit})
    if as_json:
        print_json(session)
        return
    print_facts(_facts(session))
    for message in session["messages"]:
        print_text(_heading(message), message["text"])
    if session["next_cursor"]:
        say(f"\nThere are more: add --after {session['next_cursor']}")


@app.command(epilog=examples("towpath sessions delete chat-51c2"))
def delete(context: typer.Context, session_id: _Id) -> None:
    """Delete a session with its messages, for good; what was to continue it ends as handled."""
    gateway_in(context).send("DELETE", _of(session_id), {})
    say(f"{session_id} is deleted.")


def _of(session_id: str) -> str:
    return f"/api/sessions/{quote(session_id, safe='')}"


def _facts(session: Document) -> dict[str, str]:
    turn = session["open_turn"]
    return {
        "session": session["session_id"],
        "project": session["project"] or "",
        "user": session["user"],
        "messages": str(session["length"]),
        "changed": moment(session["changed_at"]),
        "open turn": ""
        if turn is None
        else f"{turn['id']} since {moment(turn['since'])}, until {moment(turn['until'])}",
    }


def _heading(message: Document) -> str:
    job = message["metadata"].get("job_id")
    because = f", because of job {job}" if job else ""
    return f"{message['position']} {message['role']}, {moment(message['at'])}{because}"
