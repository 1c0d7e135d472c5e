"""`towpath runs`: what is queued, running and recently finished."""

from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from services.cli.batch_views import print_batch
from services.cli.errors import Unclear
from services.cli.gateway import Gateway, for_each, gateway_in
from services.cli.options import AgentKey, AllUsers, AsJson, Cursor, Limit, Project, User, examples
from services.cli.output import indented, moment, print_facts, print_json, print_table, print_text, say, say_more

app = typer.Typer(no_args_is_help=True, help="What is queued, running and recently finished: look at it, or cancel it.")

Document = dict[str, Any]
PATH = "/api/agent-runs"
COLUMNS = ("ID", "STATUS", "AGENT", "ATTEMPT", "CHANGED (UTC)", "TARGET", "ABOUT")
_MOST_CHILDREN = 200
_A_RUN = "run_a3ztj53hnut5twaiv4x6cnh3ja"


class Status(StrEnum):
    """The status of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_Statuses = Annotated[list[Status] | None, typer.Option("--status", help="May be repeated.")]
_Id = Annotated[str, typer.Argument(metavar="ID", help="A run, by its id.", show_default=False)]


@app.command(
    "list",
    epilog=examples(
        "towpath runs list --all-users",
        "towpath runs list --status failed --agent chat_memory_reviewer",
        "towpath runs list --status queued --status running --json",
    ),
)
def list_runs(
    context: typer.Context,
    status: _Statuses = None,
    agent_key: AgentKey = None,
    project: Project = None,
    user: User = None,
    *,
    all_users: AllUsers = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List active runs of any age, and those that finished recently, the latest change first."""
    query = {
        "status": status,
        "agent_key": agent_key,
        "project": project,
        "user": user,
        "all_users": all_users,
        "limit": limit,
        "cursor": cursor,
    }
    answer = gateway_in(context).get(PATH, query)
    if as_json:
        print_json(answer)
        return
    if answer["agent_runs"]:
        print_table(COLUMNS, rows_of(answer["agent_runs"]))
    say(f"\n{answer['active']} active, {answer['recent_failures']} failed recently.")
    say_more(answer["next_cursor"])


def rows_of(runs: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    """Yield a row for each run."""
    for run in runs:
        target, changed = f"{run['target']['type']} {run['target']['id']}", moment(run["changed_at"])
        yield run["id"], status_of(run), run["agent_key"], str(run["attempt"]), changed, target, _about(run)


def status_of(run: Document) -> str:
    """Return the status as it is shown: one that somebody wants to end is `cancelling`."""
    return "cancelling" if run["cancelling"] else str(run["status"])


def _about(run: Document) -> str:
    if run["waiting_for"] is not None:
        return f"waits for {run['waiting_for']['what']}"
    if run["error"] is not None and run["status"] != Status.COMPLETED:
        return f"{run['error']['code']}: {run['error']['detail']}"
    return ""


@app.command(epilog=examples(f"towpath runs show {_A_RUN}", f"towpath runs show {_A_RUN} --json"))
def show(context: typer.Context, run_id: _Id, *, as_json: AsJson = False) -> None:
    """Show one run with its steps and its output."""
    gateway = gateway_in(context)
    run = gateway.get(f"{PATH}/{run_id}")
    if as_json:
        print_json(run)
        return
    print_facts(_facts(run))
    print_batch(run)
    print_children(gateway, run)
    if run["steps"]:
        say("")
        print_table(("STEP", "KIND", "ATTEMPT", "STARTED (UTC)", "FINISHED (UTC)", "ERROR"), _step_rows(run["steps"]))
    if run["output"] is not None:
        print_text("output", indented(run["output"]))


def print_children(gateway: Gateway, run: Document) -> None:
    """Print the runs of a batch, the latest change first; nothing for any other run."""
    if run["batch"] is None:
        return
    children = gateway.get(PATH, {"parent_id": run["id"], "limit": _MOST_CHILDREN})["agent_runs"]
    if children:
        print_text("runs", "")
        print_table(COLUMNS, rows_of(children))


def _step_rows(steps: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for step in steps:
        times = moment(step["started_at"]), moment(step["finished_at"])
        error = "" if step["error"] is None else step["error"]["code"]
        yield str(step["index"]), step["kind"], str(step["attempt"]), *times, error


def _facts(run: Document) -> dict[str, str]:
    usage, error = run["usage"], run["error"]
    return {
        "id": run["id"],
        "status": status_of(run),
        "agent": f"{run['agent_key']}, version {run['agent_version']}",
        "target": f"{run['target']['type']} {run['target']['id']}",
        "organisation": run["organisation"],
        "project": run["project"] or "",
        "user": run["user"] or "",
        "event": f"{run['trigger']['event_type']} {run['trigger']['event_id']}",
        "batch": run["parent_id"] or "",
        "attempt": str(run["attempt"]),
        "lane": run["priority_level"],
        "queued": _utc(run["queued_at"]),
        "started": _utc(run["started_at"]),
        "finished": _utc(run["finished_at"]),
        "waits for": "" if run["waiting_for"] is None else _waiting(run["waiting_for"]),
        "error": "" if error is None else f"{error['code']}: {error['detail']}",
        "used": ""
        if usage is None
        else f"{usage['input_tokens']} input and {usage['output_tokens']} output tokens, model calls: {usage['model_calls']}",
        "proposals": str(len(run["effects"])) if run["effects"] else "",
    }


def _utc(time: str | None) -> str:
    return f"{moment(time)} UTC" if time else ""


def _waiting(waiting: Document) -> str:
    until = f" until {moment(waiting['until'])} UTC" if waiting.get("until") else ""
    detail = f" ({waiting['detail']})" if waiting.get("detail") else ""
    return f"{waiting['what']}{until}{detail}"


@app.command(epilog=examples(f"towpath runs explain {_A_RUN}"))
def explain(context: typer.Context, run_id: _Id, *, as_json: AsJson = False) -> None:
    """Say in words why a run is where it is: what it waits for, why it failed, who cancelled it."""
    answer = gateway_in(context).get(f"{PATH}/{run_id}/explain")
    if as_json:
        print_json(answer)
        return
    say(answer["summary"])
    for detail in answer["details"]:
        say(f"  - {detail}")


@app.command(
    epilog=examples(
        f'towpath runs cancel {_A_RUN} --reason "not needed any more"',
        "towpath runs cancel --agent operating_pulse --all-users",
        "towpath runs cancel --status queued --project apollo --all-users",
    )
)
def cancel(
    context: typer.Context,
    run_ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Runs, by their ids.", show_default=False)
    ] = None,
    status: Annotated[
        list[Status] | None, typer.Option("--status", help="queued or running; both unless given.")
    ] = None,
    agent_key: AgentKey = None,
    project: Project = None,
    user: User = None,
    *,
    all_users: AllUsers = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept with the run.")] = None,
    as_json: AsJson = False,
) -> None:
    """End runs: by their ids, or all active ones that the filters mean.

    A queued run has ended when this returns. A running one is `cancelling` until its runner has stopped it.
    """
    filters = {"status": status, "agent_key": agent_key, "project": project, "user": user}
    is_filtered = all_users or any(value is not None for value in filters.values())
    if bool(run_ids) == is_filtered:
        raise Unclear("Say which runs are meant: either ids, or --status, --agent, --project, --user, --all-users.")
    gateway = gateway_in(context)
    if not run_ids:
        answer = gateway.post(f"{PATH}/cancel", {**filters, "all_users": all_users, "reason": reason})
        sentence = f"{answer['cancelled']} cancelled, {answer['cancelling']} cancelling."
        if as_json:
            print_json(answer)
        else:
            say(sentence)
        return
    body = {"reason": reason}
    for_each(run_ids, lambda each: gateway.post(f"{PATH}/{each}/cancel", body), partial(_report, as_json=as_json))


def _report(runs: list[Document], *, as_json: bool) -> None:
    if as_json:
        print_json({"agent_runs": runs})
        return
    for run in runs:
        say(f"{run['id']} is {status_of(run)}.")
