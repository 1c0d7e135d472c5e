"""Cutting a text into chunks, and finding what it refers to."""

import re
from collections.abc import Sequence

from shared.domain.document import Chunk, Mention

_TICKET = r"(?P<ticket>\b[A-Z][A-Z0-9]{1,9}-\d+\b)"
_LINK = r"(?P<link>\bhttps?://[^\s<>()\[\]\"'`]+[^\s<>()\[\]\"'`.,;:!?])"
_MENTION = re.compile(f"{_LINK}|{_TICKET}")
_MOST_MENTIONS = 200


def chunks_of(text: str, most_characters: int) -> Sequence[Chunk]:
    """Return the text in chunks without vectors, cut where Markdown's sections, paragraphs or sentences end.

    A chunk is complete once it has half of the characters that it may have. What is only space is no chunk.
    """
    # Loaded when first used: most runs cut nothing.
    from semantic_text_splitter import MarkdownSplitter

    splitter = MarkdownSplitter((most_characters // 2, most_characters))
    return [Chunk(start, start + len(part), part, None) for start, part in splitter.chunk_indices(text) if part.strip()]


def mentions_in(text: str) -> Sequence[Mention]:
    """Return each ticket and each web address that the text names, once, where it does so first; at most 200."""
    found: dict[str, Mention] = {}
    for match in _MENTION.finditer(text):
        found.setdefault(match[0], Mention(match.lastgroup or "link", match[0], match.start()))
        if len(found) == _MOST_MENTIONS:
            break
    return list(found.values())
