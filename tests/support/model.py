"""The offline model, steered and looked at by a test."""

from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.support.waiting import until_seen

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """Everything here is told apart by run or by words in the input: several tests may share one model."""

    session: aiohttp.ClientSession
    url: str

    async def be_slow(self, seconds: float, match: str, times: int = 1) -> None:
        """Answer the next calls whose input holds `match` only after a while."""
        await self.have_faults({"kind": "slow", "seconds": seconds, "match": match, "times": times})

    async def have_faults(self, *faults: Document) -> None:
        """Let something go wrong in the next calls."""
        async with self.session.post(f"{self.url}/faults", json=list(faults)) as answer:
            answer.raise_for_status()

    async def calls(self, *run_ids: str) -> list[Document]:
        """Return the calls made for these runs, oldest first."""
        wanted = set(run_ids)
        async with self.session.get(f"{self.url}/journal") as answer:
            calls: list[Document] = (await answer.json())["calls"]
        return [call for call in calls if call["metadata"].get("run_id") in wanted]

    async def is_asked(self, run_id: str, attempt: int = 1) -> None:
        """Wait until this attempt's call is under way."""
        await until_seen(
            lambda: self.calls(run_id),
            lambda calls: any(
                call["metadata"]["attempt"] == str(attempt) and call["status"] == "running" for call in calls
            ),
        )
