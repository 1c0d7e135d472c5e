"""The command line of Towpath: everything that people do by hand, over the gateway's API."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from services.cli import (
    agent_changes,
    agent_explain,
    agent_files,
    agents,
    background,
    batches,
    bindings,
    dead_letters,
    doctor,
    documents,
    event_explain,
    events,
    inbox,
    jobs,
    memory,
    preview,
    proposals,
    replays,
    run_follow,
    run_watch,
    runs,
    schedules,
    sessions,
    settings,
    threads,
)
from services.cli.connection import data_folder, find_connection
from services.cli.errors import CliError, ExitCode
from services.cli.gateway import Gateway
from services.cli.options import examples

app = typer.Typer(
    name="towpath",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "towpath runs list --all-users",
        "towpath runs explain run_a3ztj53hnut5twaiv4x6cnh3ja",
        "towpath proposals list --status pending",
        "towpath dead-letters list",
        "[bold]Exit codes[/bold]",
        "0 done, 1 the gateway refused, 2 the command is wrong, 3 the gateway or a server of its cannot be reached",
        "Whether the data is sound is checked beside the database: python -m infra.doctor",
    ),
)
run_watch.register(runs.app)
run_follow.register(runs.app)
agent_changes.register(agents.app)
batches.register(agents.app, runs.app)
agent_files.register(agents.app)
agent_explain.register(agents.app)
event_explain.register(events.app)
for name, group in (
    ("events", events.app),
    ("runs", runs.app),
    ("threads", threads.app),
    ("proposals", proposals.app),
    ("memory", memory.app),
    ("documents", documents.app),
    ("agents", agents.app),
    ("replays", replays.app),
    ("background", background.app),
    ("bindings", bindings.app),
    ("settings", settings.app),
    ("preview", preview.app),
    ("schedules", schedules.app),
    ("jobs", jobs.app),
    ("sessions", sessions.app),
    ("dead-letters", dead_letters.app),
):
    app.add_typer(group, name=name)
app.command(epilog=examples("towpath inbox", "towpath inbox --kind epic --json"))(inbox.inbox)
app.command(epilog=examples("towpath doctor", "towpath doctor --json"))(doctor.doctor)


@app.callback()
def connect(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option("--url", envvar="TOWPATH_URL", help="The gateway.", show_default=False)
    ] = None,
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="TOWPATH_TOKEN", help="Who you are to the gateway.", show_default=False),
    ] = None,
) -> None:
    """Ask and tell a Towpath gateway.

    The address and the token come from the options, else from the environment, else from `./taskw up` if it runs here.
    """

    def gateway() -> Gateway:
        return Gateway(find_connection(url, token, data_folder()))

    # A test may have brought a gateway; and what only prints its help needs none.
    given: Callable[[], Gateway] | None = context.obj
    context.obj = given or gateway


def run(arguments: Sequence[str], gateway: Gateway | None = None) -> int:
    """Do what the arguments say, with this gateway if one is given, and return the exit code."""
    try:
        app(list(arguments), prog_name="towpath", obj=gateway and (lambda: gateway), standalone_mode=True)
    except CliError as error:
        console = Console(stderr=True, highlight=False)
        console.print(Text(f"towpath: {error}", style="red"), soft_wrap=True)
        return error.exit_code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.OK
    return ExitCode.OK
