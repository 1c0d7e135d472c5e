"""Compares two collections in one pass over each: to look up every document in the other takes far longer."""

from collections.abc import Sequence
from typing import Any, Final

ONE: Final = {"$literal": 1}
"""A document that counts as one."""


def counted_with(collection: str, stages: Sequence[dict[str, Any]], *fields: str) -> list[dict[str, Any]]:
    """Return the stages that add another collection's documents, and sum these fields of all with the same `_id`."""
    return [
        {"$unionWith": {"coll": collection, "pipeline": list(stages)}},
        {"$group": {"_id": "$_id", **{field: {"$sum": f"${field}"} for field in fields}}},
    ]
