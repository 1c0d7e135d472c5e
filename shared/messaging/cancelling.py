"""Telling runners which of their runs are to end. Not stored: a runner's heartbeat finds what this does not tell."""

from collections import defaultdict
from collections.abc import Iterable

import orjson

from contracts.subjects import cancel_subject
from shared.domain.run import Claim
from shared.messaging.publisher import Publisher


async def tell_runners(publisher: Publisher, claims: Iterable[Claim]) -> None:
    """Tell every runner which of the runs that it holds are to end."""
    by_owner: dict[str, list[list[str | int]]] = defaultdict(list)
    for claim in claims:
        by_owner[claim.owner].append([claim.run_id, claim.attempt])
    for owner, held in by_owner.items():
        await publisher.tell(cancel_subject(owner), orjson.dumps(held))


def claims_of(message: bytes, owner: str) -> list[Claim]:
    """Return the claims of this runner that a message names."""
    return [Claim(run_id, attempt, owner) for run_id, attempt in orjson.loads(message)]
