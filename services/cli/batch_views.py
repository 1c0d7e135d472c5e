"""A batch as commands print it: how far it is, and why users failed."""

from collections.abc import Iterable
from typing import Any

from services.cli.output import print_facts, print_table, print_text

Document = dict[str, Any]


def print_batch(run: Document) -> None:
    """Print how far a batch is, and the users whose run did not complete; nothing of any other run."""
    batch = run["batch"]
    if batch is None:
        return
    print_text("batch", "")
    print_facts(_facts(batch))
    if batch["errors"]:
        print_text("errors", "")
        print_table(("USER", "CODE", "DETAIL"), _error_rows(batch["errors"]))


def _facts(batch: Document) -> dict[str, str]:
    failed = f", {batch['users_failed']} failed" if batch["users_failed"] else ""
    queries = f", {batch['queries_failed']} failed" if batch["queries_failed"] else ""
    return {
        "users": f"{batch['users_processed']} of {batch['users_total']}{failed}",
        "queries": f"{batch['queries_executed']} executed{queries}",
        "proposals": str(batch["enrichments_applied"]),
        "at a time": str(batch["size"]),
        "round": str(batch["round"]),
    }


def _error_rows(errors: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for each in errors:
        yield each["user"], each["code"], each["detail"]
