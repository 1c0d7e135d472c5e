"""The events that a command is about: from a file, or made of options."""

import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from services.cli.errors import Unclear
from services.cli.values import assigned, events_in

Document = dict[str, Any]
STANDARD_INPUT = "-"
SOURCE = "/towpath/cli"

File = Annotated[
    str | None,
    typer.Argument(metavar="FILE", help="Events as JSON or JSON lines; - is the standard input.", show_default=False),
]
Type = Annotated[str | None, typer.Option("--type", help="Of an event made of options: its type.")]
OfProject = Annotated[str | None, typer.Option("--project", help="Its project.")]
OfUser = Annotated[str | None, typer.Option("--user", help="Its user.")]
Data = Annotated[
    list[str] | None, typer.Option("--data", metavar="NAME=VALUE", help="A field of its data; may be repeated.")
]
Id = Annotated[str | None, typer.Option("--id", help="Its id; the same again changes nothing. A new one unless given.")]
Source = Annotated[str, typer.Option("--source", help="Who made it.")]


def wanted_events(
    file: str | None,
    type_: str | None,
    project: str | None,
    user: str | None,
    data: list[str] | None,
    id_: str | None,
    source: str,
) -> list[Document]:
    """Return the events of the file, or the one that the options describe; raises Unclear when that is not said."""
    if (file is None) == (type_ is None):
        raise Unclear("Say which event is meant: either a file (- is the standard input), or --type with --data.")
    if file is not None:
        if project or user or data or id_:
            raise Unclear("--project, --user, --data and --id go with --type; the events of a file say it themselves.")
        return events_in(_read(file), file)
    event = {"specversion": "1.0", "id": id_ or uuid4().hex, "source": source, "type": type_}
    whose = {name: value for name, value in {"projectid": project, "userid": user}.items() if value is not None}
    return [{**event, **whose, "data": assigned(data or [], "--data")}]


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == STANDARD_INPUT else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unclear(f"{file}: it cannot be read: {error}.") from error
