"""One write that changes many documents, each in its own way.

For the server it is about half the work of as many single updates. It is not atomic as a whole: each document is.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import bson

from shared.store.mongo import Document

_MOST_BYTES = 8 * 1_024 * 1_024
"""The server takes a command of 16 MiB; one change is bounded well below half of that by those who make it."""


def own_of(changes: Mapping[str, Document]) -> Document:
    """Return the expression for what `changes` has for a document's `_id`; it must have something."""
    position = {"$indexOfArray": [{"$literal": list(changes)}, "$_id"]}
    return {"$arrayElemAt": [{"$literal": list(changes.values())}, position]}


def merge_by_id(changes: Mapping[str, Document]) -> Document:
    """Return the pipeline stage that sets in each document what `changes` has for it."""
    return {"$replaceWith": {"$mergeObjects": ["$$ROOT", own_of(changes)]}}


def in_commands(changes: Mapping[str, Document]) -> Iterator[dict[str, Any]]:
    """Split the changes so that each part fits into one command; mostly one is enough for all."""
    if len(bson.encode(changes)) <= _MOST_BYTES:
        if changes:
            yield dict(changes)
        return
    part: dict[str, Document] = {}
    size = 0
    for id_, change in changes.items():
        length = len(bson.encode(change))
        if part and size + length > _MOST_BYTES:
            yield part
            part, size = {}, 0
        part[id_] = change
        size += length
    if part:
        yield part
