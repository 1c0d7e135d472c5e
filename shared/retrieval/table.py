"""The vectors of one project as one block of bytes, compared one by one: exact, and made in an instant.

A graph (HNSW) would answer sooner and take a minute to build; see docs/adr/0013-vectors-are-compared-one-by-one.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.domain.document import Filters, Neighbour
from shared.retrieval.nearest import nearest_groups

if TYPE_CHECKING:
    import numpy as np

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.int8]]
    Rows = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Block:
    """The vectors of one document's chunks; `numbers` are those of the chunks, in the order of the rows."""

    kind: str
    document_id: str
    version: int
    changed_at: datetime
    numbers: Sequence[int]
    vectors: "Vectors"


def block_of(kind: str, document_id: str, version: int, changed_at: datetime, chunks: Mapping[int, bytes]) -> Block:
    """Return the block of a document whose chunks have these vectors, all of one length."""
    import numpy as np

    numbers = sorted(chunks)
    flat = np.frombuffer(b"".join(chunks[number] for number in numbers), dtype=np.int8)
    return Block(kind, document_id, version, changed_at, numbers, flat.reshape(len(numbers), -1 if numbers else 0))


class Table:
    """All blocks of a project, by key, one after the other; it never changes. Its methods take a thread for a while."""

    def __init__(self, blocks: Mapping[str, Block]) -> None:
        """Copy the vectors into one block, of which the blocks in `blocks` are parts from then on."""
        import numpy as np

        self._keys = [key for key, block in blocks.items() if block.numbers]
        filled = [blocks[key] for key in self._keys]
        self._vectors: Vectors = (
            np.concatenate([block.vectors for block in filled]) if filled else np.empty((0, 0), np.int8)
        )
        self._ends = np.cumsum([len(block.numbers) for block in filled], dtype=np.int64)
        self._numbers = [number for block in filled for number in block.numbers]
        self.blocks = {key: self._moved(blocks[key], place) for place, key in enumerate(self._keys)}
        self.blocks.update({key: block for key, block in blocks.items() if not block.numbers})

    @property
    def size_bytes(self) -> int:
        """The memory that the vectors take."""
        return int(self._vectors.nbytes)

    def nearest(self, vector: bytes, limit: int, filters: Filters) -> list[str]:
        """Return the keys of the nearest chunks that pass the filters, the nearest first."""
        rows = self._rows(filters)
        return [self._chunk_key(row) for row, _ in self._compared([vector], limit, rows)[0]]

    def neighbours(self, kind: str, keys: Sequence[str], limit: int) -> dict[str, list[Neighbour]]:
        """Return for each document that has vectors the nearest others of its kind, by document id."""
        places = [place for place, key in enumerate(self._keys) if self.blocks[key].kind == kind]
        documents = [self.blocks[self._keys[place]] for place in places]
        wanted = set(keys)
        asked = [at for at, place in enumerate(places) if self._keys[place] in wanted]
        near = nearest_groups([each.vectors for each in documents], asked, limit)
        return {
            documents[at].document_id: [Neighbour(documents[other].document_id, score) for other, score in found]
            for at, found in zip(asked, near, strict=True)
        }

    def _compared(self, queries: Sequence[bytes], limit: int, rows: "Rows | None") -> list[list[tuple[int, float]]]:
        """Return for each query the rows that are nearest, with their similarity."""
        import numpy as np
        from usearch.compiled import MetricKind
        from usearch.index import search

        chosen = self._vectors if rows is None else self._vectors[rows]
        if not len(chosen) or not queries:
            return [[] for _ in queries]
        asked: Any = np.frombuffer(b"".join(queries), dtype=np.int8).reshape(len(queries), -1)
        if asked.shape[1] != chosen.shape[1]:
            return [[] for _ in queries]
        found = search(chosen, asked, min(limit, len(chosen)), MetricKind.Cos, exact=True, threads=1)
        keys, distances = np.atleast_2d(found.keys), np.atleast_2d(found.distances)
        return [
            [
                (int(key if rows is None else rows[key]), 1.0 - float(distance))
                for key, distance in zip(*each, strict=True)
            ]
            for each in zip(keys, distances, strict=True)
        ]

    def _rows(self, filters: Filters) -> "Rows | None":
        """Return the rows that pass, None when all do."""
        import numpy as np

        if filters == Filters():
            return None
        passing = [_passes(self.blocks[key], filters) for key in self._keys]
        if all(passing):
            return None
        counts = np.diff(self._ends, prepend=0)
        return np.flatnonzero(np.repeat(np.array(passing, dtype=bool), counts))

    def _place(self, row: int) -> int:
        return int(self._ends.searchsorted(row, side="right"))

    def _chunk_key(self, row: int) -> str:
        return f"{self._keys[self._place(row)]}:{self._numbers[row]}"

    def _moved(self, block: Block, place: int) -> Block:
        end = int(self._ends[place])
        part = self._vectors[end - len(block.numbers) : end]
        return Block(block.kind, block.document_id, block.version, block.changed_at, block.numbers, part)


def _passes(block: Block, filters: Filters) -> bool:
    return (
        (filters.kinds is None or block.kind in filters.kinds)
        and (filters.document_ids is None or block.document_id in filters.document_ids)
        and (filters.since is None or block.changed_at >= filters.since)
    )
