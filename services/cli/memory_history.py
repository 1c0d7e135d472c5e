"""`towpath memory history, diff, restore, set`: the versions of one block, and what people write into it."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.text import Text

from services.cli.errors import Unclear
from services.cli.gateway import gateway_in
from services.cli.options import AsJson, Cursor, Limit, examples
from services.cli.output import console, moment, print_json, print_table, say, say_more

Document = dict[str, Any]
_A_BLOCK = "mem_72ajc6yvex4baghrmy64gmjuia"
_STYLES = {"same": "", "removed": "red strike", "added": "green underline"}
_MARKS = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}

BlockId = Annotated[str, typer.Argument(metavar="ID", help="A block, by its id.", show_default=False)]
Reason = Annotated[str | None, typer.Option("--reason", help="Why; kept with the version.")]
Base = Annotated[
    int | None,
    typer.Option("--base", min=0, help="Only while the block is at this version. [default: the one that is there]"),
]


def history(
    context: typer.Context, block_id: BlockId, *, limit: Limit = 50, cursor: Cursor = None, as_json: AsJson = False
) -> None:
    """List the versions of a block, the newest first: who made each, when, how and why."""
    answer = gateway_in(context).get(f"/api/memory/{block_id}/versions", {"limit": limit, "cursor": cursor})
    if as_json:
        print_json(answer)
        return
    print_table(("VERSION", "AT (UTC)", "BY", "HOW", "AGENT", "WHY"), _rows(answer["versions"]))
    say_more(answer["next_cursor"])


def diff(
    context: typer.Context,
    block_id: BlockId,
    from_version: Annotated[int, typer.Option("--from", min=0, help="The older version; 0 is before the first.")],
    to_version: Annotated[int, typer.Option("--to", min=0, help="The newer version.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two versions, word by word: [-removed-] and {+added+}."""
    versions = {"from": from_version, "to": to_version}
    answer = gateway_in(context).get(f"/api/memory/{block_id}/diff", versions)
    if as_json:
        print_json(answer)
        return
    if not answer["fields"]:
        say("Nothing differs.")
    for name, pieces in answer["fields"].items():
        console().print(Text.assemble((f"{name}: ", "bold"), *map(_shown, pieces)), soft_wrap=True)


def restore(
    context: typer.Context,
    block_id: BlockId,
    version: Annotated[int, typer.Argument(min=1, help="The version that is to be there again.", show_default=False)],
    reason: Reason = None,
    base: Annotated[int | None, typer.Option("--base", min=0, help="Only while the block is at this version.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a new version that equals an earlier one."""
    body = {"version": version, "reason": reason, "base_version": base}
    _report(gateway_in(context).post(f"/api/memory/{block_id}/restore", body), as_json=as_json)


def set_fields(
    context: typer.Context,
    block_id: BlockId,
    fields: Annotated[
        list[str], typer.Argument(metavar="NAME=TEXT...", help="Fields; an empty text removes one.", show_default=False)
    ],
    reason: Reason = None,
    base: Base = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write fields of a block, unless it has changed since `--base`."""
    gateway, path = gateway_in(context), f"/api/memory/{block_id}"
    texts = dict(map(_assigned, fields))
    base = gateway.get(path)["version"] if base is None else base
    body = {"fields": texts, "base_version": base, "reason": reason}
    _report(gateway.send("PUT", path, body), as_json=as_json)


def add(
    context: typer.Context,
    label: Annotated[str, typer.Argument(help="What the block is called, such as goals.", show_default=False)],
    fields: Annotated[list[str], typer.Argument(metavar="NAME=TEXT...", help="Its fields.", show_default=False)],
    project: Annotated[str | None, typer.Option("--project", help="As memory of this project.")] = None,
    user: Annotated[
        str | None, typer.Option("--user", help="As memory of another user; for backends and admins.")
    ] = None,
    reason: Reason = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a block that is not there yet."""
    if project is not None and user is not None:
        raise Unclear("A block is of a user or of a project: leave out --user or --project.")
    owner = {"type": "user", "id": user} if project is None else {"type": "project", "id": project}
    body = {"owner": owner, "label": label, "fields": dict(map(_assigned, fields)), "reason": reason}
    _report(gateway_in(context).post("/api/memory", body), as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Put these commands beside the others about memory."""
    app.command(epilog=examples(f"towpath memory history {_A_BLOCK}"))(history)
    app.command(epilog=examples(f"towpath memory diff {_A_BLOCK} --from 1 --to 3"))(diff)
    app.command(epilog=examples(f"towpath memory restore {_A_BLOCK} 1 --reason Nonsense."))(restore)
    app.command(epilog=examples('towpath memory add goals "focus=Ship the wallet." --project mobile-app'))(add)
    app.command("set", epilog=examples(f'towpath memory set {_A_BLOCK} "writing=Prefers letters."'))(set_fields)


def _rows(versions: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in versions:
        author = each["author"]
        how = (str(each["version"]), moment(each["at"]), author["user"], each["action"])
        yield *how, author["agent_key"] or "", each["reason"] or ""


def _shown(piece: Document) -> tuple[str, str]:
    before, behind = _MARKS[piece["part"]]
    return f"{before}{piece['text']}{behind}", _STYLES[piece["part"]]


def _assigned(pair: str) -> tuple[str, str]:
    name, separator, text = pair.partition("=")
    if not (name and separator):
        raise Unclear(f"Write NAME=TEXT, not '{pair}'.")
    return name, text


def _report(block: Document, *, as_json: bool) -> None:
    if as_json:
        print_json(block)
    else:
        say(f"{block['id']} is at version {block['version']}.")
