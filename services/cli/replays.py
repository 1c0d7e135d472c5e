"""`towpath replays`: past runs done again on another version of their Agent, and what came of it."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from services.cli.agents import PATH, Key, Whose, print_changes
from services.cli.errors import Unclear
from services.cli.gateway import gateway_in
from services.cli.options import AsJson, Cursor, examples
from services.cli.output import moment, print_facts, print_json, print_page, print_table, print_text, say

app = typer.Typer(no_args_is_help=True, help="Past runs on another version, with effects off: start, compare, cancel.")

Document = dict[str, Any]
_A_REPLAY = "rpl_72ajc6yvex4baghrmy64gmjuia"
_A_RUN = "run_a3ztj53hnut5twaiv4x6cnh3ja"
_Id = Annotated[str, typer.Argument(metavar="ID", help="A replay, by its id.", show_default=False)]
_FIGURES = {
    "runs": "runs",
    "completed": "completed",
    "failed": "failed",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
    "model_calls": "model calls",
    "median_latency_seconds": "median latency (s)",
    "proposals": "proposals",
    "approved": "approved",
    "rejected": "rejected",
    "acceptance_rate": "acceptance rate",
}


@app.command(
    epilog=examples(
        "towpath replays start noter --draft --latest 20",
        "towpath replays start noter --version 3 --latest 50 --of-version 2",
        f"towpath replays start noter --version 3 --run {_A_RUN}",
    )
)
def start(
    context: typer.Context,
    key: Key,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="The version to run.", show_default=False)
    ] = None,
    *,
    draft: Annotated[bool, typer.Option("--draft", help="Run the draft, as it is now.")] = False,
    latest: Annotated[int, typer.Option("--latest", "-n", min=1, max=200, help="On so many of the latest runs.")] = 20,
    of_version: Annotated[
        int | None, typer.Option("--of-version", min=1, help="Only on runs of this version.", show_default=False)
    ] = None,
    runs: Annotated[
        list[str] | None, typer.Option("--run", help="On this run; may be repeated.", show_default=False)
    ] = None,
    request_id: Annotated[
        str | None, typer.Option("--request-id", help="The same again is the same replay.", show_default=False)
    ] = None,
    visibility: Whose = None,
    as_json: AsJson = False,
) -> None:
    """Do past runs of an Agent again on a version or its draft. What they propose is compared, and reaches nobody."""
    if (version is None) is not draft:
        raise Unclear("Say what to run: either --version or --draft.")
    if runs and of_version is not None:
        raise Unclear("Say which runs are meant: either --run, or --latest with --of-version.")
    wanted = {"ids": runs} if runs else {"latest": latest, "version": of_version}
    body = {"version": version, "draft": draft, "runs": wanted, "request_id": request_id}
    replay = gateway_in(context).send("POST", f"{PATH}/{key}/replays", body, {"visibility": visibility})
    if as_json:
        print_json(replay)
    else:
        say(f"{replay['id']} replays {_runs(replay)} on {_version(replay)}: towpath replays show {key} {replay['id']}")


@app.command("list", epilog=examples("towpath replays list noter"))
def list_replays(
    context: typer.Context, key: Key, visibility: Whose = None, cursor: Cursor = None, *, as_json: AsJson = False
) -> None:
    """List the replays of an Agent, the latest first."""
    answer = gateway_in(context).get(f"{PATH}/{key}/replays", {"visibility": visibility, "cursor": cursor})
    if as_json:
        print_json(answer)
        return
    columns = ("ID", "STATUS", "ON", "ENDED", "STARTED (UTC)", "BY")
    print_page(columns, _rows(answer["replays"]), answer["next_cursor"])


def _rows(replays: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in replays:
        started = moment(each["created_at"])
        yield each["id"], each["status"], _version(each), _ended(each), started, each["requested_by"]


@app.command(
    epilog=examples(f"towpath replays show noter {_A_REPLAY}", f"towpath replays show noter {_A_REPLAY} --json")
)
def show(
    context: typer.Context,
    key: Key,
    replay_id: _Id,
    skip: Annotated[int, typer.Option("--skip", min=0, help="How many runs to leave out first.")] = 0,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="How many runs at most.")] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """Show how far a replay is, both sides' figures, and each run beside its original with what differs."""
    query = {"skip": skip, "limit": limit}
    report = gateway_in(context).get(f"{PATH}/{key}/replays/{replay_id}", query)
    if as_json:
        print_json(report)
        return
    print_facts(_facts(report))
    print_text("figures", "")
    old, new = report["totals"]["old"], report["totals"]["new"]
    figures = [(name, _figure(old[field]), _figure(new[field])) for field, name in _FIGURES.items()]
    print_table(("", "ORIGINALS", "REPLAYS"), figures)
    print_text("runs", "")
    print_table(("ORIGINAL", "REPLAY", "RESULT", "FRESH READS"), _pair_rows(report["pairs"]))
    for pair in report["pairs"]:
        if pair["changes"]:
            print_text(pair["original_run_id"], "")
            print_changes(pair["changes"])


def _facts(report: Document) -> dict[str, str]:
    totals, cancel = report["totals"], report["cancel"]
    return {
        "id": report["id"],
        "status": report["status"],
        "runs": _version(report),
        "ended": _ended(report),
        "results": ", ".join(f"{count} {result}" for result, count in totals["results"].items()),
        "fresh reads": str(totals["fresh_reads"] or ""),
        "started": f"by {report['requested_by']}, {moment(report['created_at'])} UTC",
        "cancelled": "" if cancel is None else f"by {cancel['requested_by']}, {moment(cancel['requested_at'])} UTC",
    }


def _pair_rows(pairs: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for pair in pairs:
        yield pair["original_run_id"], pair["run_id"], pair["result"], str(pair["fresh_reads"] or "")


@app.command(epilog=examples(f'towpath replays cancel noter {_A_REPLAY} --reason "seen enough"'))
def cancel(
    context: typer.Context,
    key: Key,
    replay_id: _Id,
    *,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept with the replay.")] = None,
    as_json: AsJson = False,
) -> None:
    """End the runs of a replay that have not ended."""
    replay = gateway_in(context).post(f"{PATH}/{key}/replays/{replay_id}/cancel", {"reason": reason})
    if as_json:
        print_json(replay)
    else:
        say(f"{replay['id']} is {replay['status']}; {_ended(replay)} runs have ended.")


def _version(replay: Document) -> str:
    return "the draft" if replay["draft"] else f"version {replay['agent_version']}"


def _runs(replay: Document) -> str:
    total = replay["progress"]["total"]
    return f"{total} run{'' if total == 1 else 's'}"


def _ended(replay: Document) -> str:
    progress = replay["progress"]
    return f"{progress['total'] - progress['queued'] - progress['running']} of {progress['total']}"


def _figure(value: float | None) -> str:
    return "-" if value is None else str(value) if isinstance(value, int) else f"{value:.2f}"
