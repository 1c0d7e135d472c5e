"""`towpath agents apply, diff, export`: Agents kept as TOML files, one for each or as `[[task]]` tables."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from contracts.agent_kinds import Visibility
from services.cli.agent_tasks import Loaded, tasks_of
from services.cli.agent_toml import agent_of, file_of
from services.cli.agents import PATH, print_changes
from services.cli.errors import Refused, Unclear
from services.cli.gateway import Gateway, gateway_in
from services.cli.options import AsJson, examples
from services.cli.output import print_json, print_table, say

Document = dict[str, Any]
_PAGE = 1_000

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder of TOML files.", show_default=False)]


@dataclass(frozen=True, slots=True)
class Planned:
    """One file with what the gateway said of it."""

    file: Path
    loaded: Loaded
    check: Document

    @property
    def content(self) -> Document:
        return self.loaded.content

    @property
    def does(self) -> str:
        """What applying the file does: create, change, nothing, or it is refused."""
        if not self.check["valid"]:
            return "refused"
        if self.check["published"] is None:
            return "create"
        return "change" if self.check["changes"] else "nothing"

    @property
    def as_document(self) -> Document:
        shown = {name: self.check[name] for name in ("errors", "published", "changes")}
        said = {"file": str(self.file), "agent": self.content["key"], "does": self.does}
        return {**said, "notes": list(self.loaded.notes), **shown}


def register(app: typer.Typer) -> None:
    """Add these commands to those of Agents."""
    app.command(epilog=examples("towpath agents diff agents"))(diff)
    app.command(epilog=examples("towpath agents apply agents", "towpath agents apply agents --yes --json"))(apply)
    app.command(epilog=examples("towpath agents export agents", "towpath agents export agents --visibility server"))(
        export
    )


def diff(context: typer.Context, folder: Folder, *, as_json: AsJson = False) -> None:
    """Show what applying the files of a folder would change, field by field."""
    plan = _plan(gateway_in(context), folder)
    if as_json:
        print_json({"files": [each.as_document for each in plan]})
    else:
        _show(plan)
        for each in plan:
            if each.does == "change":
                say(f"\n{each.content['key']}")
                print_changes(each.check["changes"])
    _check(plan)


def apply(
    context: typer.Context,
    folder: Folder,
    note: Annotated[str, typer.Option("--note", help="Why; kept with the versions.")] = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish the Agents of a folder that differ from what is published, after showing the plan.

    Doing it again changes nothing. A draft of such an Agent is replaced. Agents without a file are left alone.
    """
    if as_json and not yes:
        raise Unclear("--json asks no questions: add --yes.")
    gateway = gateway_in(context)
    plan = _plan(gateway, folder)
    if not as_json:
        _show(plan)
    _check(plan)
    wanted = [each for each in plan if each.does in {"create", "change"}]
    if wanted and not yes:
        typer.confirm(f"Publish {len(wanted)} of {len(plan)}?", abort=True)
    versions = [_publish(gateway, each, note) for each in wanted]
    if as_json:
        print_json({"files": [each.as_document for each in plan], "published": versions})
        return
    for each, answer in zip(wanted, versions, strict=True):
        say(f"Version {answer['version']['number']} of {each.content['key']} is published.")


def export(
    context: typer.Context,
    folder: Folder,
    visibility: Annotated[
        Visibility | None, typer.Option("--visibility", help="Only the own, or the server's.")
    ] = None,
) -> None:
    """Write the published Agents that your organisation sees as files, over those of the same name."""
    gateway, skip, keys = gateway_in(context), 0, []
    while page := gateway.get(PATH, {"skip": skip, "limit": _PAGE, "visibility": visibility})["agents"]:
        keys += [each["key"] for each in page if each["published"]]
        skip += len(page)
    folder.mkdir(parents=True, exist_ok=True)
    for key in keys:
        agent = gateway.get(f"{PATH}/{key}", {"visibility": visibility})
        (folder / f"{key}.toml").write_text(file_of(agent["configuration"]), encoding="utf-8")
    say(f"{len(keys)} written to {folder}.")


def _plan(gateway: Gateway, folder: Path) -> list[Planned]:
    read = _read(folder)
    return [
        Planned(file, loaded, gateway.send("POST", f"{PATH}/{key}/validate", {"content": loaded.content}))
        for file, loaded in read
        for key in [loaded.content["key"]]
    ]


def _read(folder: Path) -> list[tuple[Path, Loaded]]:
    """Return every Agent with its file, or raise Unclear, which names each file that cannot be read."""
    read, wrong, owners = [], [], dict[tuple[str, str], Path]()
    for file in sorted(folder.glob("*.toml")):
        try:
            text = file.read_text(encoding="utf-8")
            found = tasks_of(text) or [Loaded(agent_of(text))]
        except (OSError, ValueError) as error:
            wrong += [f"{file}: {line}" for line in str(error).splitlines()]
            continue
        for loaded in found:
            identity = str(loaded.content["key"]), str(loaded.content.get("visibility"))
            if identity in owners:
                wrong.append(f"{file}: key: {owners[identity]} is about Agent '{identity[0]}' already")
            owners[identity] = file
            read.append((file, loaded))
    if wrong:
        raise Unclear("\n".join(wrong))
    if not read:
        raise Unclear(f"There is no TOML file in '{folder}'. `towpath agents export {folder}` writes some.")
    return read


def _show(plan: list[Planned]) -> None:
    columns = ("AGENT", "DOES", "FIELDS", "FILE")
    rows = [
        (
            str(each.content["key"]),
            each.does,
            str(len(each.check["changes"])) if each.does == "change" else "",
            each.file,
        )
        for each in plan
    ]
    print_table(columns, [(*row[:3], str(row[3])) for row in rows])
    for each in plan:
        for note in each.loaded.notes:
            say(f"{each.content['key']}: {note}.")


def _check(plan: list[Planned]) -> None:
    """Raise Refused, with file and field of everything that is wrong, before anything is published."""
    wrong = [f"{each.file}: {error['field']}: {error['message']}" for each in plan for error in each.check["errors"]]
    if wrong:
        raise Refused("\n".join([*wrong, "Nothing was changed."]))


def _publish(gateway: Gateway, planned: Planned, note: str) -> Document:
    key = planned.content["key"]
    visibility = planned.content.get("visibility", Visibility.SERVER)
    try:
        gateway.send("PUT", f"{PATH}/{key}", planned.content)
    except Refused as error:
        if error.code != "not_found":
            raise
        gateway.send("POST", PATH, planned.content)
    body = {"note": note or f"Applied from {planned.file.name}."}
    return gateway.send("POST", f"{PATH}/{key}/publish", body, {"visibility": visibility})
