"""Clients without a gateway."""

from collections.abc import Iterable, Mapping, Sequence

from contracts.envelope import Event
from infra.demo.client import Client, GatewayRefused, Json
from infra.demo.script import Schedule, SwitchOff


class ScriptedClient(Client):
    """Answers every event with the decisions given for its id; one without any is pending."""

    def __init__(
        self, decisions: Mapping[str, list[Json]], runs: Iterable[Json] = (), *, refuses: bool = False
    ) -> None:
        self.decisions = decisions
        self.runs = {run["id"]: run for run in runs}
        self.refuses = refuses
        self.published: list[list[str]] = []
        self.switched: list[SwitchOff] = []
        self.scheduled: list[Schedule] = []
        self.inbox: list[Json | None] = []
        self.approved: list[str] = []

    async def publish(self, events: Sequence[Event]) -> Json:
        if self.refuses:
            raise GatewayRefused("Temporarily unavailable (storage_unavailable)")
        self.published.append([event.id for event in events])
        return {"events": [self._answer(event) for event in events]}

    async def switch_off(self, switch: SwitchOff) -> None:
        self.switched.append(switch)

    async def schedule(self, schedule: Schedule) -> None:
        self.scheduled.append(schedule)

    async def waiting_for(self, block_label: str, field: str) -> Json | None:
        return self.inbox.pop(0)

    async def approve(self, proposal_id: str) -> Json:
        self.approved.append(proposal_id)
        return {"id": proposal_id}

    async def run(self, run_id: str) -> Json:
        return self.runs[run_id]

    def _answer(self, event: Event) -> Json:
        decisions = self.decisions.get(event.id)
        return {"id": event.id, "key": event.key, "decisions": decisions or [], "pending": decisions is None}
