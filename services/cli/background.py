"""`towpath background`: Agents that do a task again and again, created and operated."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from services.cli.gateway import gateway_in
from services.cli.options import AsJson, examples
from services.cli.output import indented, moment, print_facts, print_json, print_table, print_text, say, say_rest

app = typer.Typer(no_args_is_help=True, help="Background Agents: create one, start, pause, resume and stop it.")

Document = dict[str, Any]
PATH = "/api/background-agents"

AgentId = Annotated[str, typer.Argument(metavar="ID", help="A background Agent, by its id.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the change.")]


@app.command("list", epilog=examples("towpath background list", "towpath background list --json"))
def list_background(
    context: typer.Context,
    skip: Annotated[int, typer.Option("--skip", min=0, help="How many to leave out first.")] = 0,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="How many at most.")] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List the Agents with a schedule, and how each stands."""
    answer = gateway_in(context).get(PATH, {"skip": skip, "limit": limit})
    if as_json:
        print_json(answer)
    elif not answer["agents"]:
        say("There are none.")
    else:
        columns = ("ID", "STATUS", "RUNS", "ERRORS", "NEXT FIRE (UTC)", "SCHEDULE")
        print_table(columns, _rows(answer["agents"]))
        say_rest(answer["total"], skip + len(answer["agents"]))


def _rows(agents: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in agents:
        counts = str(each["run_count"]), str(each["error_count"])
        yield each["agent_id"], each["status"], *counts, moment(each["next_fire_at"]), each["schedule"] or ""


@app.command(
    epilog=examples(
        'towpath background create monitor --instruction "Watch over the system." --query "What is wrong?" --interval 300',
        'towpath background create digest --instruction "Be brief." --query "What is new?" --interval "0 7 * * *"',
    )
)
def create(
    context: typer.Context,
    agent_id: AgentId,
    instruction: Annotated[str, typer.Option("--instruction", help="Who it is.", show_default=False)],
    query: Annotated[str, typer.Option("--query", help="What it is to do each time.", show_default=False)],
    interval: Annotated[
        str, typer.Option("--interval", help="Seconds, or a cron expression in UTC.", show_default=False)
    ],
    model: Annotated[str, typer.Option("--model", help="fast, reasoning, or one of the operator's models.")] = "fast",
    max_retries: Annotated[int, typer.Option("--max-retries", min=0, max=5, help="Attempts after the first.")] = 3,
    retry_delay: Annotated[
        int | None, typer.Option("--retry-delay", min=1, max=3_600, help="Seconds before the first of them, at least.")
    ] = None,
    timeout: Annotated[int, typer.Option("--timeout", min=1, max=3_600, help="Seconds for one attempt.")] = 600,
    *,
    as_json: AsJson = False,
) -> None:
    """Create a background Agent of your organisation's own; it is stopped until it is started."""
    body = {
        "agent_id": agent_id,
        "system_instruction": instruction,
        "model_config": {"model": model},
        "interval": int(interval) if interval.isdecimal() else interval,
        "task_config": {"query": query, "max_retries": max_retries, "retry_delay": retry_delay, "timeout": timeout},
    }
    _print(gateway_in(context).post(PATH, body), as_json=as_json)


@app.command(epilog=examples("towpath background start monitor", "towpath background start monitor --now"))
def start(
    context: typer.Context,
    agent_id: AgentId,
    reason: Reason = "",
    *,
    now: Annotated[bool, typer.Option("--now", help="Execute it at once, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start a background Agent: its schedule starts runs from now on."""
    _tell(context, agent_id, "start", {"reason": reason, "now": now}, as_json=as_json)


@app.command(epilog=examples('towpath background pause monitor --reason "Maintenance."'))
def pause(context: typer.Context, agent_id: AgentId, reason: Reason = "", *, as_json: AsJson = False) -> None:
    """Pause a background Agent: its schedule stays, and what it fires waits."""
    _tell(context, agent_id, "pause", {"reason": reason}, as_json=as_json)


@app.command(epilog=examples("towpath background resume monitor"))
def resume(context: typer.Context, agent_id: AgentId, reason: Reason = "", *, as_json: AsJson = False) -> None:
    """Have a paused background Agent go on."""
    _tell(context, agent_id, "resume", {"reason": reason}, as_json=as_json)


@app.command(
    epilog=examples("towpath background stop monitor", "towpath background stop monitor --immediate --confirm")
)
def stop(
    context: typer.Context,
    agent_id: AgentId,
    reason: Reason = "",
    *,
    immediate: Annotated[bool, typer.Option("--immediate", help="End running runs, too.")] = False,
    confirm: Annotated[bool, typer.Option("--confirm", help="Also when runs are cancelled by it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stop a background Agent: what its schedule fires is dropped."""
    body = {"reason": reason, "immediate": immediate, "confirm": confirm}
    _tell(context, agent_id, "stop", body, as_json=as_json)


@app.command(epilog=examples("towpath background status monitor"))
def status(context: typer.Context, agent_id: AgentId, *, as_json: AsJson = False) -> None:
    """Show a background Agent: its runs and errors, its last run with the result, and its next fire."""
    _print(gateway_in(context).get(f"{PATH}/{agent_id}/status"), as_json=as_json)


def _tell(context: typer.Context, agent_id: str, what: str, body: Document, *, as_json: bool) -> None:
    _print(gateway_in(context).post(f"{PATH}/{agent_id}/{what}", body), as_json=as_json)


def _print(agent: Document, *, as_json: bool) -> None:
    if as_json:
        print_json(agent)
        return
    last = agent["last_run"]
    print_facts(
        {
            "id": agent["agent_id"],
            "status": agent["status"],
            "schedule": agent["schedule"] or "",
            "next fire": _utc(agent["next_fire_at"]),
            "runs": str(agent["run_count"]),
            "errors": str(agent["error_count"]),
            "last run": "" if last is None else f"{last['id']}, {last['status']}, {_utc(last['queued_at'])}",
        }
    )
    if last is not None and last["output"] is not None:
        print_text("result", indented(last["output"]))


def _utc(text: str | None) -> str:
    return "" if text is None else f"{moment(text)} UTC"
