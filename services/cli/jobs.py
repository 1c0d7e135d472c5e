"""`towpath jobs`: long work outside whose end continues a session."""

from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

import typer

from services.cli.gateway import for_each, gateway_in
from services.cli.options import AllUsers, AsJson, Cursor, Limit, Project, User, examples
from services.cli.output import moment, print_facts, print_json, print_page, print_text, say

app = typer.Typer(no_args_is_help=True, help="Long work outside: watch it, tell its end, and see what came of it.")

Document = dict[str, Any]
_PATH = "/api/jobs"
_A_JOB = "build-17"


class Status(StrEnum):
    """Where a job is in its life."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    KILLED = "killed"
    DIED = "died"


class Ended(StrEnum):
    """How a job may be said to have ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    KILLED = "killed"
    DIED = "died"


_Id = Annotated[str, typer.Argument(metavar="ID", help="A job, by its id.", show_default=False)]


@app.command("list", epilog=examples("towpath jobs list --all-users --status running", "towpath jobs list --json"))
def list_jobs(
    context: typer.Context,
    status: Annotated[list[Status] | None, typer.Option("--status", help="Only with this; may be repeated.")] = None,
    session_id: Annotated[str | None, typer.Option("--session", help="Only of this session, by its id.")] = None,
    user: User = None,
    *,
    all_users: AllUsers = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List jobs with what became of their ends, the latest change first."""
    query = {
        "status": status,
        "session_id": session_id,
        "user": user,
        "all_users": all_users,
        "limit": limit,
        "cursor": cursor,
    }
    answer = gateway_in(context).get(_PATH, query)
    if as_json:
        print_json(answer)
    else:
        columns = ("ID", "STATUS", "FOLLOW-UP", "SESSION", "USER", "STARTED (UTC)", "COMMAND")
        print_page(columns, _rows(answer["jobs"]), answer["next_cursor"])


def _rows(jobs: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in jobs:
        follow_up = (each["follow_up"] or {}).get("status", "")
        started = moment(each["started_at"])
        yield each["job_id"], each["status"], follow_up, each["session_id"], each["user"], started, each["command"]


@app.command(epilog=examples(f"towpath jobs show {_A_JOB}"))
def show(context: typer.Context, job_id: _Id, *, as_json: AsJson = False) -> None:
    """Show one job: how it stands, what became of its end, and what it printed."""
    _print(gateway_in(context).get(_of(job_id)), as_json=as_json)


@app.command(
    epilog=examples(
        f"towpath jobs start --id {_A_JOB} --session chat-51c2 --kind build --command 'make release' --timeout 1800",
        "towpath jobs start --session chat-51c2 --kind export --heartbeat 60",
    )
)
def start(
    context: typer.Context,
    session_id: Annotated[
        str, typer.Option("--session", help="The session that its end continues.", show_default=False)
    ],
    kind: Annotated[str, typer.Option("--kind", help="What kind of work it is, such as build.", show_default=False)],
    job_id: Annotated[str | None, typer.Option("--id", help="Your id of it; without one it is given one.")] = None,
    command: Annotated[str, typer.Option("--command", help="What it does.")] = "",
    timeout: Annotated[
        int | None, typer.Option("--timeout", min=1, help="Seconds until it counts as timed out.")
    ] = None,
    heartbeat_seconds: Annotated[
        int | None, typer.Option("--heartbeat", min=1, help="Seconds without a heartbeat until it counts as died.")
    ] = None,
    agent_key: Annotated[str | None, typer.Option("--agent", help="Who continues instead of job_follow_up.")] = None,
    project: Project = None,
    user: User = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Start a job: from now on it is watched, and its end is answered in its session."""
    body = {
        "session_id": session_id,
        "kind": kind,
        "job_id": job_id,
        "command": command,
        "timeout_seconds": timeout,
        "heartbeat_seconds": heartbeat_seconds,
        "agent_key": agent_key,
        "project": project,
        "user": user,
    }
    _print(gateway_in(context).post(_PATH, {name: value for name, value in body.items() if value}), as_json=as_json)


@app.command(epilog=examples(f"towpath jobs heartbeat {_A_JOB}"))
def heartbeat(
    context: typer.Context,
    job_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Jobs, by their ids.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Say that jobs are still at work; refused for one that counts as ended."""
    gateway = gateway_in(context)
    for_each(job_ids, lambda each: gateway.post(f"{_of(each)}/heartbeat", {}), partial(_report, as_json=as_json))


@app.command(
    epilog=examples(
        f"towpath jobs finish {_A_JOB} --exit-code 0 --output build.log",
        f"towpath jobs finish {_A_JOB} --status killed",
    )
)
def finish(
    context: typer.Context,
    job_id: _Id,
    exit_code: Annotated[int | None, typer.Option("--exit-code", help="0 is completed, any other failed.")] = None,
    status: Annotated[
        Ended | None, typer.Option("--status", help="How it ended, if the exit code does not say.")
    ] = None,
    output: Annotated[
        typer.FileText | None, typer.Option("--output", help="A file with what it printed; - is the standard input.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say how a job ended; its session is continued with that."""
    printed = "" if output is None else output.read()
    body = {"status": status, "exit_code": exit_code, "output": printed}
    _print(gateway_in(context).post(f"{_of(job_id)}/finish", body), as_json=as_json)


def _of(job_id: str) -> str:
    return f"{_PATH}/{quote(job_id, safe='')}"


def _print(job: Document, *, as_json: bool) -> None:
    if as_json:
        print_json(job)
        return
    print_facts(_facts(job))
    if job["output"]:
        print_text("output", job["output"])


def _facts(job: Document) -> dict[str, str]:
    shown = ("job_id", "kind", "command", "session_id", "project", "user", "status")
    follow_up, late = job["follow_up"] or {}, job["late_end"]
    code = follow_up.get("code")
    return {
        **{name.replace("_", " "): job[name] or "" for name in shown},
        "exit code": "" if job["exit_code"] is None else str(job["exit_code"]),
        "started": moment(job["started_at"]),
        "deadline": moment(job["deadline_at"]),
        "finished": moment(job["finished_at"]),
        "follow-up": f"{follow_up['status']}{f' ({code})' if code else ''}" if follow_up else "",
        "run": follow_up.get("run_id") or "",
        "late end": "" if late is None else f"{late['status']}, {moment(late['at'])} UTC; not followed",
    }


def _report(jobs: list[Document], *, as_json: bool) -> None:
    if as_json:
        print_json({"jobs": jobs})
        return
    for each in jobs:
        say(f"{each['job_id']} is {each['status']}.")
