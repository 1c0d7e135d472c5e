"""What came of a replay: its runs beside their originals, read for the comparison."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from services.gateway.run_output import output_of
from services.gateway.state import Gateway
from shared.domain.replay_report import Pair, Side, original_side, paired, replayed_side

Document = dict[str, Any]


async def compared(gateway: Gateway, replay: Document) -> list[Pair]:
    """Return each run of the replay beside its original, as far as they are still stored."""
    ids = [run["id"] for run in replay["runs"]]
    originals = [run["of"] for run in replay["runs"]]
    runs = await gateway.runs.load([*ids, *originals])
    fresh = await gateway.replays.fresh_reads(ids)
    proposals = await _proposals_of(gateway, originals)
    pairs = []
    for each in replay["runs"]:
        old = await _original(gateway, runs.get(each["of"]), proposals)
        new = await _replayed(gateway, runs.get(each["id"]), old)
        pairs.append(paired(each["of"], each["id"], old, new, fresh.get(each["id"], 0)))
    return pairs


async def _original(gateway: Gateway, run: Document | None, proposals: Mapping[str, Sequence[Document]]) -> Side | None:
    return None if run is None else original_side(run, await output_of(gateway, run), proposals.get(run["_id"], ()))


async def _replayed(gateway: Gateway, run: Document | None, original: Side | None) -> Side | None:
    return None if run is None else replayed_side(run, await output_of(gateway, run), original)


async def _proposals_of(gateway: Gateway, run_ids: Sequence[str]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = defaultdict(list)
    for proposal in await gateway.replays.proposals_of(run_ids):
        found[proposal["run_id"]].append(proposal)
    return found
