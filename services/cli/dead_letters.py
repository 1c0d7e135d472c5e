"""`towpath dead-letters`: what could not be handled, and what is done about it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from services.cli.errors import Unclear
from services.cli.gateway import Gateway, for_each, gateway_in
from services.cli.options import AgentKey, AsJson, Cursor, Limit, examples
from services.cli.output import moment, pretty, print_facts, print_json, print_page, print_text, say

app = typer.Typer(no_args_is_help=True, help="What could not be handled: look at it, redrive it, or discard it.")

Document = dict[str, Any]
_PATH = "/api/dead-letters"
_AT_ONCE = 200


class Kind(StrEnum):
    """What died."""

    EVENT = "event"
    RUN = "run"


class Status(StrEnum):
    """What became of a letter."""

    OPEN = "open"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"


_Kind = Annotated[Kind | None, typer.Option("--kind", help="Messages and events, or failed runs.")]
_Code = Annotated[str | None, typer.Option("--code", help="Only with this code, such as model_refused.")]
_Organisation = Annotated[str | None, typer.Option("--organisation", help="Only of this one; for server admins.")]
_Everything = Annotated[bool, typer.Option("--everything", help="All open letters that you may decide.")]
_Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Letters, by their ids.", show_default=False)]


@app.command(
    "list",
    epilog=examples(
        "towpath dead-letters list",
        "towpath dead-letters list --kind run --code model_quota_spent",
        "towpath dead-letters list --status discarded --json",
    ),
)
def list_letters(
    context: typer.Context,
    kind: _Kind = None,
    status: Annotated[list[Status] | None, typer.Option("--status", help="May be repeated; open unless given.")] = None,
    code: _Code = None,
    agent_key: AgentKey = None,
    organisation: _Organisation = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the latest first. Without --status: those that wait for a decision."""
    query = {
        "kind": kind,
        "status": status or [Status.OPEN],
        "code": code,
        "agent_key": agent_key,
        "organisation": organisation,
        "limit": limit,
        "cursor": cursor,
    }
    answer = gateway_in(context).get(_PATH, query)
    if as_json:
        print_json(answer)
    else:
        print_page(
            ("ID", "STATUS", "CODE", "OF", "TIMES", "LAST (UTC)", "REASON"),
            _rows(answer["dead_letters"]),
            answer["next_cursor"],
        )


def _rows(letters: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for letter in letters:
        of = letter["agent_key"] or letter["organisation"] or "unknown"
        times, last = str(letter["count"]), moment(letter["last_at"])
        yield letter["id"], letter["status"], letter["code"], of, times, last, letter["reason"]


@app.command(epilog=examples("towpath dead-letters show run_a3ztj53hnut5twaiv4x6cnh3ja"))
def show(
    context: typer.Context,
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="A letter, by its id.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter, with the message as it came."""
    letter = gateway_in(context).get(f"{_PATH}/{letter_id}")
    if as_json:
        print_json(letter)
        return
    print_facts(_facts(letter))
    if letter["payload"] is not None:
        is_text = letter["payload_encoding"] == "utf-8"
        print_text("message" if is_text else "message, in base64", pretty(letter["payload"]))


def _facts(letter: Document) -> dict[str, str]:
    decided = f"{letter['decided_by']}, {moment(letter['decided_at'])} UTC" if letter["decided_by"] else ""
    return {
        "id": letter["id"],
        "status": letter["status"],
        "code": letter["code"],
        "reason": letter["reason"],
        "times": f"{letter['count']}, first {moment(letter['first_at'])}, last {moment(letter['last_at'])} UTC",
        "organisation": letter["organisation"] or "unknown",
        "agent": letter["agent_key"] or "",
        "run": letter["run_id"] or "",
        "event": letter["event_key"] or "",
        "subject": letter["subject"] or "",
        "redrive": _REDRIVES[letter["redrives"]],
        "redriven": f"{letter['redriven']} times" if letter["redriven"] else "",
        "decided by": decided,
        "because": letter["decision_reason"] or "",
    }


_REDRIVES = {
    "run": "queues the run again; its finished steps are not paid again",
    "event": "has the gate consider the stored event again",
    "message": "publishes the message again as it came",
}


@app.command(
    epilog=examples(
        "towpath dead-letters redrive run_a3ztj53hnut5twaiv4x6cnh3ja",
        "towpath dead-letters redrive --kind run --code model_quota_spent",
        "towpath dead-letters redrive --everything",
    )
)
def redrive(
    context: typer.Context,
    letter_ids: _Ids = None,
    kind: _Kind = None,
    code: _Code = None,
    agent_key: AgentKey = None,
    organisation: _Organisation = None,
    *,
    everything: _Everything = False,
    as_json: AsJson = False,
) -> None:
    """Have what died tried again: letters by their ids, or all open ones that the filters mean.

    A failed run is queued again, an event is considered again by the gate. What dies again is open again.
    """
    filters = {"kind": kind, "code": code, "agent_key": agent_key, "organisation": organisation}
    gateway, selection = gateway_in(context), _selection(letter_ids, filters, everything=everything)
    if letter_ids:
        for_each(
            letter_ids, lambda each: gateway.post(f"{_PATH}/{each}/redrive"), partial(report_letters, as_json=as_json)
        )
        return
    totals = _all_of(gateway, "redrive", selection, ("redriven", "obsolete"))
    if as_json:
        print_json(totals)
        return
    say(f"{totals['redriven']} redriven.")
    if totals["obsolete"]:
        say(f"{totals['obsolete']} discarded, because what they were about does not exist any more.")


@app.command(
    epilog=examples(
        'towpath dead-letters discard dead_72ajc6yvex4baghrmy64gmjuia --reason "a test of the backend"',
        'towpath dead-letters discard --code event_unreadable --reason "sent by a wrong client, corrected"',
    )
)
def discard(
    context: typer.Context,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the letter.", show_default=False)],
    letter_ids: _Ids = None,
    kind: _Kind = None,
    code: _Code = None,
    agent_key: AgentKey = None,
    organisation: _Organisation = None,
    *,
    everything: _Everything = False,
    as_json: AsJson = False,
) -> None:
    """Note that nothing is to be done: about letters by their ids, or all open ones that the filters mean."""
    filters = {"kind": kind, "code": code, "agent_key": agent_key, "organisation": organisation}
    gateway, selection = gateway_in(context), _selection(letter_ids, filters, everything=everything)
    if letter_ids:
        body = {"reason": reason}
        for_each(
            letter_ids,
            lambda each: gateway.post(f"{_PATH}/{each}/discard", body),
            partial(report_letters, as_json=as_json),
        )
        return
    totals = _all_of(gateway, "discard", {**selection, "reason": reason}, ("discarded",))
    if as_json:
        print_json(totals)
    else:
        say(f"{totals['discarded']} discarded.")


def _selection(letter_ids: list[str] | None, filters: Document, *, everything: bool) -> Document:
    is_filtered = everything or any(value is not None for value in filters.values())
    if bool(letter_ids) == is_filtered:
        raise Unclear(
            "Say which letters are meant: either ids, or --kind, --code, --agent, --organisation, --everything."
        )
    return {**filters, "everything": everything}


def _all_of(gateway: Gateway, action: str, selection: Mapping[str, Any], counted: tuple[str, ...]) -> Document:
    """Ask until no letter is left that was open when this began."""
    totals, before, has_more = dict.fromkeys(counted, 0), None, True
    while has_more:
        answer = gateway.post(f"{_PATH}/{action}", {**selection, "limit": _AT_ONCE, "before": before})
        totals = {name: totals[name] + answer[name] for name in counted}
        before, has_more = answer["as_of"], answer["more"]
    return totals


def report_letters(letters: list[Document], *, as_json: bool) -> None:
    """Print what became of letters."""
    if as_json:
        print_json({"dead_letters": letters})
        return
    for letter in letters:
        say(f"{letter['id']} is {letter['status']}.")
