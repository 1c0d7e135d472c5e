"""`towpath events`: publishing what happened, and what the gate decided about it."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from services.cli import event_input
from services.cli.errors import Refused
from services.cli.gateway import gateway_in
from services.cli.options import AllUsers, AsJson, Cursor, Limit, Project, User, examples
from services.cli.output import indented, moment, print_facts, print_json, print_page, print_table, print_text, say

app = typer.Typer(no_args_is_help=True, help="What happened: publish it, and look at what was decided about it.")

Document = dict[str, Any]
_PATH = "/api/events"
_AT_ONCE = 100
_COLUMNS = ("AGENT", "OUTCOME", "RUN", "EXPLANATION")


@app.command(
    epilog=examples(
        "towpath events publish --type checkin.submitted --user ada --project apollo --data date=2026-11-20"
        " --data 'today=I prefer short updates.'",
        "towpath events publish day.jsonl",
        "towpath events publish - --json",
    )
)
def publish(
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
    """Publish events, and print what the gate decided for every Agent that they concern.

    What is refused keeps nothing else from being accepted; sending all of it again changes nothing.
    """
    events = event_input.wanted_events(file, type_, project, user, data, id_, source)
    gateway, answers, errors = gateway_in(context), list[Document](), list[Document]()
    for start in range(0, len(events), _AT_ONCE):
        answer, refused = gateway.publish(events[start : start + _AT_ONCE])
        answers += [{**each, "index": start + each["index"]} for each in answer["events"]]
        errors += [{**each, "index": start + each["index"]} for each in refused]
    if as_json:
        runs = [run for each in answers for run in each["agent_runs"]]
        print_json({"events": answers, "agent_runs": runs, "errors": errors})
    else:
        _show(answers)
    if errors:
        raise Refused("\n".join(f"event {each['index'] + 1}: {each['message']} ({each['code']})" for each in errors))


def _show(answers: list[Document]) -> None:
    rows = [(each["id"], *row) for each in answers for row in _decision_rows(each)]
    if rows:
        print_table(("EVENT", *_COLUMNS), rows)
    silent = sum(1 for each in answers if not each["pending"] and not each["decisions"])
    if silent:
        say(f"{silent} accepted that no Agent reacts to.")


def _decision_rows(event: Document) -> Iterable[tuple[str, ...]]:
    if event["pending"]:
        yield "", "pending", "", "It is accepted; the gate has not answered yet."
    for decision in event["decisions"]:
        yield decision["agent_key"], decision["outcome"], decision["run_id"] or "", decision["explanation"]


@app.command(
    "list",
    epilog=examples(
        "towpath events list", "towpath events list --all-users --type checkin.submitted", "towpath events list --json"
    ),
)
def list_events(
    context: typer.Context,
    type_: Annotated[str | None, typer.Option("--type", help="Only of this type.")] = None,
    project: Project = None,
    user: User = None,
    *,
    all_users: AllUsers = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List accepted events, the latest first, with what came of each."""
    query = {
        "type": type_,
        "project": project,
        "user": user,
        "all_users": all_users,
        "limit": limit,
        "cursor": cursor,
    }
    answer = gateway_in(context).get(_PATH, query)
    if as_json:
        print_json(answer)
    else:
        print_page(
            ("KEY", "ACCEPTED (UTC)", "TYPE", "PROJECT", "USER", "DECIDED"),
            _rows(answer["events"]),
            answer["next_cursor"],
        )


def _rows(events: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for event in events:
        whose = event["project"] or "", event["user"] or ""
        yield event["key"], moment(event["accepted_at"]), event["type"], *whose, _decided(event)


def _decided(event: Document) -> str:
    if event["dead_letter"]:
        return f"dead letter {event['dead_letter']}"
    if event["pending"]:
        return "pending"
    return ", ".join(f"{each['agent_key']}: {each['outcome']}" for each in event["decisions"]) or "no Agent reacts"


@app.command(epilog=examples("towpath events show ev_jo36xktobf7jcs6laiohsf5yqy"))
def show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="An event, by its key.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one event with the decisions on it and its content."""
    event = gateway_in(context).get(f"{_PATH}/{key}")
    if as_json:
        print_json(event)
        return
    shown = ("key", "id", "type", "organisation", "project", "user", "dead_letter")
    accepted = {"accepted": f"{moment(event['accepted_at'])} UTC"}
    print_facts({name.replace("_", " "): event[name] or "" for name in shown} | accepted)
    if rows := list(_decision_rows(event)):
        say("")
        print_table(_COLUMNS, rows)
    print_text("content", indented(event["event"]))
