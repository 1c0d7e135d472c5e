"""`towpath agents`: publishing, rolling back, switching and running Agents."""

import json
from typing import Annotated, Any

import typer

from contracts.agent_kinds import AgentStatus
from contracts.lifecycle import Shutdown
from services.cli.agents import PATH, Key, Whose
from services.cli.errors import Refused, Unclear
from services.cli.gateway import gateway_in
from services.cli.options import AsJson, examples
from services.cli.output import print_json, say

Document = dict[str, Any]
Note = Annotated[str, typer.Option("--note", help="Why; kept with the version.")]


def register(app: typer.Typer) -> None:
    """Add these commands to those of Agents."""
    app.command(epilog=examples('towpath agents publish noter --note "Shorter notes."'))(publish)
    app.command(epilog=examples('towpath agents rollback noter --to 3 --note "Too slow."'))(rollback)
    app.command(
        epilog=examples(
            "towpath agents status paused noter",
            "towpath agents status active noter reader --json",
            'towpath agents status inactive noter --shutdown immediate --confirm --reason "It loops."',
        )
    )(status)
    app.command(
        epilog=examples(
            "towpath agents run noter",
            'towpath agents run noter --project apollo --target doc:plan --input \'{"question": "What is new?"}\'',
        )
    )(run)


def publish(
    context: typer.Context, key: Key, note: Note = "", visibility: Whose = None, *, as_json: AsJson = False
) -> None:
    """Publish the draft of an Agent as its next version; obeyed everywhere within a second."""
    answer = gateway_in(context).send("POST", f"{PATH}/{key}/publish", {"note": note}, {"visibility": visibility})
    _say_published(key, answer, as_json=as_json)


def rollback(
    context: typer.Context,
    key: Key,
    number: Annotated[int, typer.Option("--to", min=1, help="The version to go back to.", show_default=False)],
    note: Note = "",
    visibility: Whose = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Publish the content of an earlier version again, as the next one."""
    body = {"number": number, "note": note}
    answer = gateway_in(context).send("POST", f"{PATH}/{key}/rollback", body, {"visibility": visibility})
    _say_published(key, answer, as_json=as_json)


def _say_published(key: str, answer: Document, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    number = answer["version"]["number"]
    said = f"Version {number} of {key} is published."
    say(said if answer["changed"] else f"{said} It was before; nothing changed.")


def status(
    context: typer.Context,
    wanted: Annotated[AgentStatus, typer.Argument(metavar="STATUS", help="What they are to be.", show_default=False)],
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="Agents, by their keys.", show_default=False)],
    shutdown: Annotated[
        Shutdown, typer.Option("--shutdown", help="What becomes of open runs, or that it is done later.")
    ] = Shutdown.GRACEFUL,
    at: Annotated[str | None, typer.Option("--at", help="When, as 2026-12-24T18:00:00Z; with scheduled.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the change.")] = "",
    visibility: Whose = None,
    *,
    confirm: Annotated[bool, typer.Option("--confirm", help="Also when runs are cancelled by it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make Agents active, inactive, paused, or put them in maintenance."""
    body: Document = {"keys": keys, "status": wanted, "shutdown": shutdown, "reason": reason, "confirm": confirm}
    if at is not None:
        body["at"] = at
    if visibility is not None:
        body["visibility"] = visibility
    answer = gateway_in(context).send("POST", f"{PATH}/bulk", body)
    refused = [result for result in answer["results"] if result["code"] is not None]
    if as_json:
        print_json(answer)
    else:
        for result in answer["results"]:
            if result["code"] is None:
                later = f" It will be {wanted} at {at}." if at is not None else ""
                say(f"{result['key']} is {result['status']}.{later}")
    if refused:
        raise Refused("\n".join(f"{result['key']}: {result['detail']} ({result['code']})" for result in refused))


def run(
    context: typer.Context,
    key: Key,
    project: Annotated[str | None, typer.Option("--project", help="In this project.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="For another user; for backends and admins.")] = None,
    target: Annotated[str | None, typer.Option("--target", help="What to work on, as TYPE:ID.")] = None,
    input_json: Annotated[str | None, typer.Option("--input", help="What to work with, as a JSON object.")] = None,
    request_id: Annotated[str | None, typer.Option("--request-id", help="The same again is the same run.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Start a run of an Agent by hand. A disabled Agent is refused, with the binding that decided it."""
    body = {
        "project": project,
        "user": user,
        "target": None if target is None else _target(target),
        "input": None if input_json is None else _object(input_json),
        "request_id": request_id,
    }
    answer = gateway_in(context).post(f"{PATH}/{key}/execute", body)
    if as_json:
        print_json(answer)
        return
    started = answer["agent_run"]
    say(f"{started['id']} is queued: {key}, version {started['agent_version']}.")
    say(f"Follow it with: towpath runs show {started['id']}")


def _target(text: str) -> Document:
    type_, separator, target = text.partition(":")
    if not (type_ and separator and target):
        raise Unclear(f"--target: write TYPE:ID, such as doc:plan, not '{text}'.")
    return {"type": type_, "id": target}


def _object(text: str) -> Document:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Unclear(f"--input: it is no JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Unclear('--input: write a JSON object, such as {"question": "What is new?"}.')
    return value
