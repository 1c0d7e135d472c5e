"""`towpath runs follow`: what happens to runs, as it happens."""

import json
import time
from typing import Annotated, Any

import typer

from services.cli.errors import Unclear
from services.cli.event_stream import Sent, listen
from services.cli.gateway import gateway_in
from services.cli.options import AgentKey, AllUsers, User, examples
from services.cli.output import moment, say
from services.cli.runs import PATH

Document = dict[str, Any]

_A_RUN = "run_a3ztj53hnut5twaiv4x6cnh3ja"
_ENDED = frozenset({"run.completed", "run.failed", "run.cancelled"})


def register(app: typer.Typer) -> None:
    """Add this command to those of runs."""
    app.command(
        epilog=examples(
            "towpath runs follow --all-users",
            f"towpath runs follow {_A_RUN}",
            "towpath runs follow --agent operating_pulse --after start --json",
        )
    )(follow)


def follow(
    context: typer.Context,
    run_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="One run, from its beginning to its end.", show_default=False)
    ] = None,
    agent_key: AgentKey = None,
    user: User = None,
    *,
    all_users: AllUsers = False,
    after: Annotated[
        str | None, typer.Option("--after", help="Go on after the event with this id; `start` for all that is kept.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each event on a line of its own, with its id.")
    ] = False,
) -> None:
    """Print what happens to runs as it happens, until Ctrl-C or, of one run, until it has ended."""
    filters = {"agent_key": agent_key, "user": user, "all_users": all_users}
    if run_id is not None and any(filters.values()):
        raise Unclear("Say which runs are meant: either an id, or --agent, --user, --all-users.")
    path = f"{PATH}/events" if run_id is None else f"{PATH}/{run_id}/events"
    params = {"after": after} | ({} if run_id is not None else filters)
    tell = _print_json if as_json else _print
    for sent in listen(gateway_in(context), path, params, time.sleep):
        event = json.loads(sent.data)
        tell(sent, event)
        if run_id is not None and event.get("type") in _ENDED:
            return


def _print_json(sent: Sent, event: Document) -> None:
    say(json.dumps({"id": sent.id, "event": sent.name, "data": event}))


def _print(sent: Sent, event: Document) -> None:
    if "type" not in event:
        say(f"{sent.name}: {event.get('detail', '')}")
        return
    data = event["data"]
    error = f"  {data['error']['code']}: {data['error']['detail']}" if data.get("error") else ""
    say(f"{moment(event['time'])}  {event['type']}  {data['agent_key']}  {data['run_id']}{error}")
