"""`towpath documents`: what is indexed of a project's documents."""

from typing import Annotated, Any

import typer

from services.cli.gateway import gateway_in
from services.cli.options import AsJson, Cursor, Limit, examples
from services.cli.output import moment, print_facts, print_json, print_page, print_text, say

app = typer.Typer(no_args_is_help=True, help="The documents of a project, as Agents find them.")

Document = dict[str, Any]
_Project = Annotated[str, typer.Option("--project", help="Whose documents, for its members.")]
_Kind = Annotated[str | None, typer.Option("--kind", help="Only of this kind, such as doc or ticket.")]


@app.command("list", epilog=examples("towpath documents list --project apollo"))
def list_documents(
    context: typer.Context,
    project: _Project,
    kind: _Kind = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the documents of a project, the one indexed last first."""
    query = {"project": project, "kind": kind, "limit": limit, "cursor": cursor}
    answer = gateway_in(context).get("/api/documents", query)
    if as_json:
        print_json(answer)
    else:
        print_page(
            ("ID", "KIND", "DOCUMENT", "REVISION", "CHUNKS", "INDEXED (UTC)", "TITLE"),
            _rows(answer),
            answer["next_cursor"],
        )


def _rows(answer: Document) -> list[tuple[str, ...]]:
    return [
        (
            each["id"],
            each["kind"],
            each["document_id"],
            str(each["revision"]),
            str(each["chunks"]),
            moment(each["indexed_at"]),
            each["title"],
        )
        for each in answer["documents"]
    ]


@app.command(epilog=examples("towpath documents show doc_a3ztj53hnut5twaiv4x6cnh3ja"))
def show(
    context: typer.Context,
    id: Annotated[str, typer.Argument(metavar="ID", help="A document, by its id in the list.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one document with its chunks."""
    document = gateway_in(context).get(f"/api/documents/{id}")
    if as_json:
        print_json(document)
        return
    print_facts(
        {
            "document": f"{document['kind']} {document['document_id']}",
            "title": document["title"],
            "revision": str(document["revision"]),
            "indexed": f"{moment(document['indexed_at'])} by {document['run_id'] or 'no run'}",
            "mentions": ", ".join(each["value"] for each in document["mentions"]) or "nothing",
        }
    )
    for chunk in document["parts"]:
        how = "" if chunk["is_embedded"] else ", by words only"
        print_text(f"characters {chunk['start']} to {chunk['end']}{how}", chunk["text"])


@app.command(epilog=examples("towpath documents search --project apollo 'export of invoices'"))
def search(
    context: typer.Context,
    words: Annotated[str, typer.Argument(metavar="WORDS", help="Words to look for.", show_default=False)],
    project: _Project,
    kind: _Kind = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=50, help="How many at most.")] = 10,
    *,
    as_json: AsJson = False,
) -> None:
    """Find parts of documents by their words, the best first."""
    query = {"project": project, "q": words, "kind": kind, "limit": limit}
    answer = gateway_in(context).get("/api/search", query)
    if as_json:
        print_json(answer)
    elif not answer["hits"]:
        say("There are none.")
    else:
        for hit in answer["hits"]:
            print_text(f"{hit['title']}, {hit['kind']} {hit['document_id']}", hit["text"])
