"""`towpath proposals`: what Agents ask for, and what people decide."""

from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from services.cli.errors import Unclear
from services.cli.gateway import for_each, gateway_in
from services.cli.options import AgentKey, AllUsers, AsJson, Cursor, Limit, Project, User, examples
from services.cli.output import indented, moment, print_facts, print_json, print_page, print_text, say

app = typer.Typer(no_args_is_help=True, help="What Agents ask for: look at it, approve it, or reject it.")

Document = dict[str, Any]
_PATH = "/api/proposals"
_A_PROPOSAL = "prp_72ajc6yvex4baghrmy64gmjuia"


class Status(StrEnum):
    """What became of a proposal."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


_Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Proposals, by their ids.", show_default=False)]
_Reason = Annotated[str | None, typer.Option("--reason", help="Why; kept with the proposal.")]


@app.command(
    "list",
    epilog=examples(
        "towpath proposals list --all-users --status pending",
        "towpath proposals list --json",
        "towpath proposals list --status pending --agent noter --ids",
    ),
)
def list_proposals(
    context: typer.Context,
    status: Annotated[Status | None, typer.Option("--status", help="Only with this status.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Only of this kind, such as memory_diff.")] = None,
    agent_key: AgentKey = None,
    project: Project = None,
    run_id: Annotated[str | None, typer.Option("--run", help="Only of this run, by its id.")] = None,
    user: User = None,
    *,
    all_users: AllUsers = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    only_ids: Annotated[
        bool, typer.Option("--ids", help="Only the ids, one on each line, for other commands.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List proposals, newest first."""
    query = {
        "status": status,
        "kind": kind,
        "agent_key": agent_key,
        "project": project,
        "run_id": run_id,
        "user": user,
        "all_users": all_users,
        "limit": limit,
        "cursor": cursor,
    }
    answer = gateway_in(context).get(_PATH, query)
    if as_json:
        print_json(answer)
    elif only_ids:
        for each in answer["proposals"]:
            say(each["id"])
    else:
        print_page(
            ("ID", "STATUS", "AGENT", "USER", "CREATED (UTC)", "TITLE"),
            _rows(answer["proposals"]),
            answer["next_cursor"],
        )


def _rows(proposals: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in proposals:
        created = moment(each["created_at"])
        yield each["id"], each["status"], each["agent_key"], each["user"] or "", created, each["title"]


@app.command(epilog=examples(f"towpath proposals show {_A_PROPOSAL}"))
def show(
    context: typer.Context,
    proposal_id: Annotated[str, typer.Argument(metavar="ID", help="A proposal, by its id.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one proposal: what is asked for, why, and what was decided."""
    proposal = gateway_in(context).get(f"{_PATH}/{proposal_id}")
    if as_json:
        print_json(proposal)
        return
    print_facts(_facts(proposal))
    if "change" in proposal:
        print_text("change", indented(proposal["change"]))


def _facts(proposal: Document) -> dict[str, str]:
    shown = ("id", "kind", "title", "status", "run_id", "project", "user", "reasoning", "confidence")
    diff = ("block_label", "field", "operation", "current_value", "proposed_value")
    became = ("applied_version", "applied_value", "edited_by", "undone_by", "undone_version", "superseded_by")
    decided = f"{proposal['decided_by']}, {moment(proposal['decided_at'])} UTC" if proposal["decided_by"] else ""
    return {
        **{name.replace("_", " "): proposal[name] or "" for name in shown},
        "agent": f"{proposal['agent_key']}, version {proposal['agent_version']}",
        **{name.replace("_", " "): str(proposal.get(name) or "") for name in diff},
        "decided by": decided,
        "because": proposal["decision_reason"] or "",
        **{name.replace("_", " "): str(proposal.get(name) or "") for name in became},
    }


@app.command(
    epilog=examples(
        f"towpath proposals approve {_A_PROPOSAL}", f'towpath proposals approve {_A_PROPOSAL} --reason "Yes."'
    )
)
def approve(
    context: typer.Context,
    proposal_ids: _Ids,
    reason: _Reason = None,
    value: Annotated[
        str | None, typer.Option("--value", help="Your text instead of the proposed one, of one memory diff.")
    ] = None,
    base: Annotated[
        int | None, typer.Option("--base", min=0, help="The version of the block that your text was made on.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Approve proposals; one for memory is applied in the same moment, unless the same place has changed since."""
    if value is not None and len(proposal_ids) > 1:
        raise Unclear("--value: is the text of one proposal; name one id.")
    body = {"reason": reason, "proposed_value": value, "base_version": base}
    _decide(context, "approve", proposal_ids, body, as_json=as_json)


@app.command(epilog=examples(f'towpath proposals undo {_A_PROPOSAL} --reason "Not any more."'))
def undo(context: typer.Context, proposal_ids: _Ids, reason: _Reason = None, *, as_json: AsJson = False) -> None:
    """Take back exactly what approved memory diffs had changed."""
    _decide(context, "undo", proposal_ids, {"reason": reason}, as_json=as_json)


@app.command(epilog=examples(f'towpath proposals reject {_A_PROPOSAL} --reason "She was joking."'))
def reject(context: typer.Context, proposal_ids: _Ids, reason: _Reason = None, *, as_json: AsJson = False) -> None:
    """Reject proposals."""
    _decide(context, "reject", proposal_ids, {"reason": reason}, as_json=as_json)


def _decide(context: typer.Context, action: str, ids: list[str], body: Document, *, as_json: bool) -> None:
    gateway = gateway_in(context)
    for_each(ids, lambda each: gateway.post(f"{_PATH}/{each}/{action}", body), partial(_report, as_json=as_json))


def _report(proposals: list[Document], *, as_json: bool) -> None:
    if as_json:
        print_json({"proposals": proposals})
        return
    for each in proposals:
        undone = f", undone by version {each['undone_version']}" if each.get("undone_version") else ""
        rebased = f", rebased from version {each['rebased_from']}" if each.get("rebased") else ""
        say(f"{each['id']} is {each['status']}{rebased}{undone}.")
