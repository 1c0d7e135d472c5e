"""A tool's output as it is recorded and shown to the model: JSON text of a bounded size."""

from typing import Any

import orjson

MOST_BYTES = 120_000
"""As a part of a step's JSON it may take twice that, which still is no more than what is kept in the step itself."""


def as_output(value: Any) -> str:
    """Return the value as JSON; of a large one the head and the tail, with what is missing between them."""
    return cut(orjson.dumps(value), MOST_BYTES)


def cut(text: bytes, most_bytes: int) -> str:
    """Return the text, or its head and its tail with a word on how much was cut out between them."""
    if len(text) <= most_bytes:
        return text.decode()
    half = most_bytes // 2
    head, tail = text[:half].decode(errors="ignore"), text[-half:].decode(errors="ignore")
    return f"{head}\n[{len(text) - 2 * half:,} of {len(text):,} bytes were cut out here]\n{tail}"
