"""An embedder without a model: texts that share words have like directions."""

from collections.abc import Sequence
from hashlib import blake2b

from shared.llm.port import Embeddings, Usage

_DIMENSIONS = 64


class WordEmbedder:
    """Adds up a direction for each word, always the same, and keeps the texts of each call in `calls`."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    @property
    def space(self) -> str:
        """Name its vectors."""
        return f"words/{_DIMENSIONS}"

    async def embed(self, texts: Sequence[str], timeout_seconds: float) -> Embeddings:  # noqa: ARG002 - the port's
        """Return a vector of each text; a token is a word."""
        self.calls.append(list(texts))
        return Embeddings(tuple(map(_vector, texts)), Usage(sum(len(text.split()) for text in texts), 0))


def _vector(text: str) -> tuple[float, ...]:
    directions = [_direction(word) for word in text.lower().split()]
    return tuple(float(sum(components)) for components in zip(*directions, strict=True))


def _direction(word: str) -> list[int]:
    digest = blake2b(word.strip(".,:;!?").encode(), digest_size=_DIMENSIONS // 8).digest()
    return [1 if byte >> bit & 1 else -1 for byte in digest for bit in range(8)]
