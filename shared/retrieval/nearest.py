"""The nearest of many groups of vectors, a block of them at a time: one product of matrices instead of many searches."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Bytes = np.ndarray[tuple[int, int], np.dtype[np.int8]]
    Floats = np.ndarray[tuple[int, int], np.dtype[np.float32]]

_MOST_CELLS = 4_000_000
"""How many likenesses are held at once: 16 MB."""
_ROWS_OF_A_TILE = 8_192


def nearest_groups(groups: Sequence["Bytes"], asked: Sequence[int], limit: int) -> Iterator[list[tuple[int, float]]]:
    """Yield for each group that is asked about the nearest others with their cosine, by their nearest two vectors.

    Every group has a row or more, all of one length.
    """
    import numpy as np

    if not asked:
        return
    rows = np.concatenate(groups)
    starts = _starts(groups)
    step = max(1, _MOST_CELLS // len(rows))
    for first in range(0, len(asked), step):
        block = asked[first : first + step]
        own = [groups[at] for at in block]
        likeness = np.maximum.reduceat(_cosines(np.concatenate(own), rows, starts), _starts(own), axis=0)
        likeness[np.arange(len(block)), block] = -2.0
        yield from _best(likeness, min(limit, len(groups) - 1))


def _starts(groups: Sequence["Bytes"]) -> list[int]:
    starts = [0]
    for group in groups[:-1]:
        starts.append(starts[-1] + len(group))
    return starts


def _cosines(queries: "Bytes", rows: "Bytes", starts: Sequence[int]) -> "Floats":
    """Return the cosine of each query and the nearest row of each group; a vector without direction is like none."""
    import numpy as np

    unit = _unit(queries)
    tiles = [unit @ _unit(rows[at : at + _ROWS_OF_A_TILE]).T for at in range(0, len(rows), _ROWS_OF_A_TILE)]
    return np.maximum.reduceat(np.concatenate(tiles, axis=1), starts, axis=1)


def _unit(vectors: "Bytes") -> "Floats":
    import numpy as np

    floats = vectors.astype(np.float32)
    lengths = np.linalg.norm(floats, axis=1, keepdims=True)
    floats /= np.maximum(lengths, 1.0)
    return floats


def _best(likeness: "Floats", limit: int) -> Iterator[list[tuple[int, float]]]:
    import numpy as np

    if limit < 1:
        yield from ([] for _ in likeness)
        return
    chosen = np.argpartition(-likeness, limit - 1, axis=1)[:, :limit]
    for row, places in zip(likeness, chosen, strict=True):
        ordered = sorted(places.tolist(), key=lambda place: (-row[place], place))
        yield [(place, float(row[place])) for place in ordered]
