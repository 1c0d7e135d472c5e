"""Documents kept in memory as MongoDB would keep them, and found by the part of its query language that is in use."""

from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any

import bson
from bson.codec_options import CodecOptions

Document = dict[str, Any]

_OPTIONS: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
_MISSING = object()


class Documents:
    """One collection. What goes in and what comes out are copies, in the order in which they were added."""

    def __init__(self) -> None:
        self._by_id: dict[str, Document] = {}

    def __contains__(self, id: object) -> bool:
        return id in self._by_id

    def put(self, document: Document) -> None:
        """Keep the document, in place of one of this id."""
        self._by_id[document["_id"]] = _copy(document)

    def change(self, document: Document, *unset: str, **changes: Any) -> Document:
        """Keep the document with these changes and without these fields; return it as it is kept."""
        self.put({name: value for name, value in {**document, **changes}.items() if name not in unset})
        return _copy(self._by_id[document["_id"]])

    def get(self, id: str) -> Document | None:
        """Return the document of this id."""
        found = self._by_id.get(id)
        return None if found is None else _copy(found)

    def find(self, query: Document) -> Iterator[Document]:
        """Yield the documents that match."""
        for document in list(self._by_id.values()):
            if matches(document, query):
                yield _copy(document)

    def remove(self, query: Document) -> None:
        """Drop the documents that match."""
        self._by_id = {key: document for key, document in self._by_id.items() if not matches(document, query)}


def matches(document: Document, query: Document) -> bool:
    """Return whether the document meets every condition of the query."""
    return all(_meets(document, name, condition) for name, condition in query.items())


def _copy(document: Document) -> Document:
    return bson.decode(bson.encode(document), _OPTIONS)


def _meets(document: Document, name: str, condition: Any) -> bool:
    match name:
        case "$and":
            return all(matches(document, each) for each in condition)
        case "$or":
            return any(matches(document, each) for each in condition)
        case "$nor":
            return not any(matches(document, each) for each in condition)
    value = _value_at(document, name.split("."))
    if isinstance(condition, dict):
        return all(_OPERATORS[operator](value, operand) for operator, operand in condition.items())
    return _is_equal(value, condition)


def _value_at(document: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return _MISSING
        document = document[name]
    return document


def _is_equal(value: Any, wanted: Any) -> bool:
    return bool((None if value is _MISSING else value) == wanted)


def _is_present(value: Any) -> bool:
    return value is not _MISSING and value is not None


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$in": lambda value, wanted: any(_is_equal(value, each) for each in wanted),
    "$ne": lambda value, wanted: not _is_equal(value, wanted),
    "$exists": lambda value, wanted: (value is not _MISSING) == wanted,
    "$lt": lambda value, bound: _is_present(value) and value < bound,
    "$lte": lambda value, bound: _is_present(value) and value <= bound,
    "$gt": lambda value, bound: _is_present(value) and value > bound,
    "$gte": lambda value, bound: _is_present(value) and value >= bound,
}
