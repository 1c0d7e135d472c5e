"""`towpath preview`: what would start or stop, without writing anything."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from services.cli import event_input
from services.cli.bindings import At, Id, Key, Says, Switched, wanted_change
from services.cli.errors import Unclear
from services.cli.gateway import gateway_in
from services.cli.options import AsJson, examples
from services.cli.output import print_json, print_table, say

app = typer.Typer(no_args_is_help=True, help="What would start or stop; nothing is written.")

Document = dict[str, Any]
_PATH = "/api/preview"


@app.command(
    epilog=examples(
        "towpath preview event --type checkin.submitted --user ada --project apollo --data date=2026-11-20",
        "towpath preview event checkin.json",
    )
)
def event(
    context: typer.Context,
    file: event_input.File = None,
    type_: event_input.Type = None,
    project: event_input.OfProject = None,
    user: event_input.OfUser = None,
    data: event_input.Data = None,
    id_: event_input.Id = None,
    source: event_input.Source = event_input.SOURCE,
    *,
    as_json: AsJson = False,
) -> None:
    """Say what the gate would decide on one event now."""
    events = event_input.wanted_events(file, type_, project, user, data, id_, source)
    if len(events) != 1:
        raise Unclear(f"{file}: there are {len(events)} events in it; a preview takes one.")
    answer = gateway_in(context).post(_PATH, {"event": events[0]})
    if as_json:
        print_json(answer)
    elif not answer["decisions"]:
        say("No Agent reacts to it.")
    else:
        print_table(("AGENT", "OUTCOME", "LANE", "TARGET", "EXPLANATION"), _decisions(answer["decisions"]))


def _decisions(decisions: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in decisions:
        target = "" if each["target"] is None else f"{each['target']['type']} {each['target']['id']}"
        yield each["agent_key"], each["outcome"], each["priority_level"] or "", target, each["explanation"]


@app.command(
    epilog=examples(
        "towpath preview binding noter --scope project --id apollo --switch off",
        "towpath preview binding noter --scope organisation --set priority_level=high --events 500",
    )
)
def binding(
    context: typer.Context,
    key: Key,
    scope: At,
    scope_id: Id = None,
    switch: Switched = None,
    says: Says = None,
    events: Annotated[int, typer.Option("--events", min=1, max=1_000, help="On how many of the latest.")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """Say which of the latest events would have come to something else if a scope said just this about an Agent."""
    about = {"agent_key": key, "scope": scope, "scope_id": scope_id}
    body = {"binding": {**about, **wanted_change(switch, says)}, "latest_events": events}
    answer = gateway_in(context).post(_PATH, body)
    if as_json:
        print_json(answer)
        return
    if answer["differences"]:
        print_table(("EVENT", "TYPE", "AGENT", "BEFORE", "AFTER", "EXPLANATION"), _differences(answer["differences"]))
    say(f"Different for {len(answer['differences'])} of {answer['events']} events.")


def _differences(differences: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in differences:
        before, after = each["before"], each["after"]
        outcomes = before["outcome"], after["outcome"]
        yield each["event_id"], each["event_type"], after["agent_key"], *outcomes, after["explanation"]
