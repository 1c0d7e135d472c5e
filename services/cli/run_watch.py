"""`towpath runs watch, retry`: following runs until they have ended, and having failed ones tried again."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

import typer
from rich.live import Live

from services.cli.dead_letters import report_letters
from services.cli.errors import Refused, Unclear
from services.cli.gateway import Gateway, for_each, gateway_in
from services.cli.options import AgentKey, AllUsers, AsJson, Project, User, examples
from services.cli.output import console, print_json, print_table, say, table_of
from services.cli.runs import COLUMNS, PATH, rows_of, status_of

Document = dict[str, Any]

_A_RUN = "run_a3ztj53hnut5twaiv4x6cnh3ja"
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.25, 2.0
_AT_MOST = 100
_ENDED = frozenset({"completed", "failed", "cancelled"})

Show = Callable[[list[Document]], None]


@dataclass(slots=True)
class Watched:
    """Runs as they were seen last, and the tags to ask with for what is new."""

    ids: Sequence[str]
    runs: dict[str, Document] = field(default_factory=dict)
    tags: dict[str, str | None] = field(default_factory=dict)

    def look(self, gateway: Gateway) -> bool:
        """Ask for those that have not ended; return whether any has changed."""
        has_changed = False
        for id_ in self.left:
            run, self.tags[id_] = gateway.poll(f"{PATH}/{id_}", self.tags.get(id_))
            if run is not None:
                self.runs[id_] = run
                has_changed = True
        return has_changed

    @property
    def left(self) -> list[str]:
        """The ids of the runs that have not ended, as far as is known."""
        return [id_ for id_ in self.ids if id_ not in self.runs or self.runs[id_]["status"] not in _ENDED]

    @property
    def seen(self) -> list[Document]:
        """The runs, in the order in which they were named."""
        return [self.runs[id_] for id_ in self.ids if id_ in self.runs]


def follow(gateway: Gateway, ids: Sequence[str], show: Show, pause: Callable[[float], None]) -> list[Document]:
    """Show the runs whenever one has changed, until all have ended; return them. Pauses grow while nothing changes."""
    watched, delay_seconds = Watched(list(dict.fromkeys(ids))), _SHORTEST_SECONDS
    while True:
        has_changed = watched.look(gateway)
        if has_changed:
            show(watched.seen)
        if not watched.left:
            return watched.seen
        delay_seconds = _SHORTEST_SECONDS if has_changed else min(2 * delay_seconds, _LONGEST_SECONDS)
        pause(delay_seconds)


def register(app: typer.Typer) -> None:
    """Add these commands to those of runs."""
    app.command(epilog=examples("towpath runs watch", f"towpath runs watch {_A_RUN} --timeout 60 --json"))(watch)
    app.command(epilog=examples(f"towpath runs retry {_A_RUN}"))(retry)


def watch(
    context: typer.Context,
    run_ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Runs; all active ones unless given.", show_default=False)
    ] = None,
    agent_key: AgentKey = None,
    project: Project = None,
    user: User = None,
    *,
    all_users: AllUsers = False,
    timeout_seconds: Annotated[
        float | None, typer.Option("--timeout", min=0, help="Give up after so many seconds.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Follow runs until all have ended: those named, or all that are active now. Exits with 1 unless all completed."""
    filters = {"agent_key": agent_key, "project": project, "user": user, "all_users": all_users}
    if run_ids and any(filters.values()):
        raise Unclear("Say which runs are meant: either ids, or --agent, --project, --user, --all-users.")
    gateway = gateway_in(context)
    ids = run_ids or _active(gateway, filters)
    runs = _followed(gateway, ids, _pausing(timeout_seconds), as_json=as_json)
    if as_json:
        print_json({"agent_runs": runs})
    elif not runs:
        say("None is active.")
    if any(run["status"] != "completed" for run in runs):
        raise typer.Exit(1)


def _active(gateway: Gateway, filters: Document) -> list[str]:
    query = {**filters, "status": ["queued", "running"], "limit": _AT_MOST}
    return [run["id"] for run in gateway.get(PATH, query)["agent_runs"]]


def _followed(gateway: Gateway, ids: Sequence[str], pause: Callable[[float], None], *, as_json: bool) -> list[Document]:
    if as_json:
        return follow(gateway, ids, lambda _: None, pause)
    if sys.stdout.isatty():
        with Live(console=console(), auto_refresh=False) as live:
            return follow(gateway, ids, lambda runs: live.update(table_of(COLUMNS, rows_of(runs)), refresh=True), pause)
    runs = follow(gateway, ids, _Tell(), pause)
    if runs:
        print_table(COLUMNS, rows_of(runs))
    return runs


class _Tell:
    """Says into a pipe what has changed."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def __call__(self, runs: list[Document]) -> None:
        for run in runs:
            if self._told.get(run["id"]) != status_of(run):
                self._told[run["id"]] = status_of(run)
                say(f"{run['id']} is {status_of(run)}.")


def _pausing(timeout_seconds: float | None) -> Callable[[float], None]:
    """Return what sleeps between two looks, and raises Refused when the time is up."""
    ends_at = None if timeout_seconds is None else time.monotonic() + timeout_seconds

    def pause(delay_seconds: float) -> None:
        if ends_at is not None and time.monotonic() + delay_seconds > ends_at:
            raise Refused(f"After {timeout_seconds:g} s not all have ended; `towpath runs explain` says why.")
        time.sleep(delay_seconds)

    return pause


def retry(
    context: typer.Context,
    run_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Failed runs.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Have failed runs tried again: their dead letters are redriven. Steps that had finished are not paid again."""
    gateway = gateway_in(context)
    ask = partial(_redrive, gateway)
    for_each(run_ids, ask, partial(report_letters, as_json=as_json))


def _redrive(gateway: Gateway, run_id: str) -> Document:
    return gateway.post(f"/api/dead-letters/{run_id}/redrive")
