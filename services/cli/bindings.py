"""`towpath bindings`: what each scope says about each Agent."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from contracts.agents import Scope
from services.cli.errors import Unclear
from services.cli.gateway import Gateway, gateway_in
from services.cli.options import AgentKey, AsJson, examples
from services.cli.output import moment, print_json, print_table, say
from services.cli.values import assigned

app = typer.Typer(no_args_is_help=True, help="What each scope says about each Agent: whether it is on, when, and how.")

Document = dict[str, Any]
_PATH = "/api/bindings"
_ABOUT = ("id", "agent_key", "scope", "scope_id", "updated_at", "updated_by", "warnings")


class Switch(StrEnum):
    """Whether an Agent is on."""

    ON = "on"
    OFF = "off"
    PAUSED = "paused"


_SWITCHED = {
    Switch.ON: {"enabled": True, "paused": None},
    Switch.OFF: {"enabled": False, "paused": None},
    Switch.PAUSED: {"enabled": None, "paused": True},
}

Key = Annotated[str, typer.Argument(metavar="AGENT", help="An Agent, by its key.", show_default=False)]
At = Annotated[Scope, typer.Option("--scope", help="Who says it.")]
Id = Annotated[str | None, typer.Option("--id", help="Which project or user.")]
Switched = Annotated[Switch | None, typer.Option("--switch", help="Whether the Agent is on.")]
Says = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any field of a binding; null says nothing. May be repeated."),
]


@app.command("list", epilog=examples("towpath bindings list", "towpath bindings list --agent noter --json"))
def list_bindings(
    context: typer.Context,
    agent_key: AgentKey = None,
    scope: Annotated[Scope | None, typer.Option("--scope", help="Only of this scope.")] = None,
    scope_id: Id = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the bindings of the server and of your organisation."""
    query = {"agent_key": agent_key, "scope": scope, "scope_id": scope_id}
    answer = gateway_in(context).get(_PATH, query)
    if as_json:
        print_json(answer)
    elif not answer["bindings"]:
        say("There are none.")
    else:
        rows = [
            (each["agent_key"], each["scope"], each["scope_id"], moment(each["updated_at"]), said_by(each))
            for each in answer["bindings"]
        ]
        print_table(("AGENT", "SCOPE", "ID", "CHANGED (UTC)", "SAYS"), rows)


@app.command(
    "set",
    epilog=examples(
        "towpath bindings set noter --scope user --id ada --switch off",
        "towpath bindings set noter --scope project --id apollo --switch paused",
        "towpath bindings set noter --scope organisation --set priority_level=high"
        " --set 'limits={\"request_limit\": 3}'",
    ),
)
def set_binding(
    context: typer.Context,
    key: Key,
    scope: At,
    scope_id: Id = None,
    switch: Switched = None,
    says: Says = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Have a scope say something about an Agent. What it said before and is not named stays."""
    change = wanted_change(switch, says)
    gateway = gateway_in(context)
    _put(gateway, {**_said(gateway, key, scope, scope_id), **change}, as_json=as_json)


@app.command(epilog=examples("towpath bindings clear noter --scope user --id ada"))
def clear(context: typer.Context, key: Key, scope: At, scope_id: Id = None, *, as_json: AsJson = False) -> None:
    """Have a scope say nothing about an Agent any more, and leave it to the others."""
    _put(gateway_in(context), _about(key, scope, scope_id), as_json=as_json)


def wanted_change(switch: Switch | None, says: list[str] | None) -> Document:
    """Return the fields that options name; raises Unclear when there are none."""
    change = {**({} if switch is None else _SWITCHED[switch]), **assigned(says or [], "--set")}
    if not change:
        raise Unclear("Say what is to be different: --switch on, off or paused, or --set NAME=VALUE.")
    return change


def _said(gateway: Gateway, key: str, scope: Scope, scope_id: str | None) -> Document:
    """Return what the scope says about the Agent now."""
    found = gateway.get(_PATH, {"agent_key": key, "scope": scope, "scope_id": scope_id})["bindings"]
    said = found[0] if len(found) == 1 else {}
    return {**_about(key, scope, scope_id), **{name: said[name] for name in said if name not in _ABOUT}}


def _about(key: str, scope: Scope, scope_id: str | None) -> Document:
    return {"agent_key": key, "scope": scope, "scope_id": scope_id}


def _put(gateway: Gateway, binding: Document, *, as_json: bool) -> None:
    answer = gateway.send("PUT", _PATH, binding)
    if as_json:
        print_json(answer)
        return
    place = f"{answer['scope']} {answer['scope_id']}".strip()
    say(f"{place} says about {answer['agent_key']}: {said_by(answer)}.")
    for warning in answer["warnings"]:
        say(f"  {warning}")


def said_by(binding: Document | None) -> str:
    """Return the fields of a binding that say something."""
    said = {name: value for name, value in (binding or {}).items() if name not in _ABOUT and value is not None}
    return ", ".join(f"{name}={value}" for name, value in said.items()) or "nothing"
