"""Which of the decided runs start on their own: none that a waiting run stands for, and none within a cooldown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.envelope import Event
from contracts.ids import derived_id
from services.gating.gathering import Gathering, place_of
from services.gating.overlap import Decided
from shared.domain.decision import Coalesced, Decision, Reason, RunDecided, Skipped
from shared.domain.words import utc_text
from shared.store.cooldowns import Cooldown, CooldownStore
from shared.store.gathering import Place


@dataclass(frozen=True, slots=True)
class Starts:
    """Asks the database only about decisions of Agents that debounce or have a cooldown."""

    gathering: Gathering
    cooldowns: CooldownStore

    async def settle(self, events: Mapping[str, Event], decided: Decided, now: datetime) -> Decided:
        """Return the decisions anew: coalesced, skipped, or as they were. What is started this way is stored.

        An event that a run has taken already is not asked about its cooldown.
        """
        if not any(_asks(decision) for decisions in decided.values() for decision in decisions):
            return decided
        wanted = await self.gathering.wanted(events.values(), decided, now)
        taken = await self.gathering.take(wanted, frozenset(), now) if wanted else {}
        holding = await self.cooldowns.begin(_beginning(events.values(), decided, taken, now), now)
        rest = [each for each in wanted if each.place not in taken]
        may_open = {each.place for each in rest if _held_back(each.event, each.decision, holding) is None}
        taken |= await self.gathering.take(rest, may_open, now) if rest else {}
        return {
            key: [_settled(events[key], decision, taken, holding) for decision in decisions]
            for key, decisions in decided.items()
        }


def _asks(decision: Decision) -> bool:
    return isinstance(decision, RunDecided) and (decision.debounce is not None or decision.cooldown_seconds > 0)


def _beginning(events: Iterable[Event], decided: Decided, taken: Mapping[Place, str], now: datetime) -> list[Cooldown]:
    return [
        Cooldown(
            _cooldown_key(event, decision),
            decision.run_id(event.key),
            now + timedelta(seconds=decision.cooldown_seconds),
        )
        for event in events
        for decision in decided.get(event.key, ())
        if isinstance(decision, RunDecided) and decision.cooldown_seconds and place_of(event, decision) not in taken
    ]


def _settled(event: Event, decision: Decision, taken: Mapping[Place, str], holding: Mapping[str, Cooldown]) -> Decision:
    if not isinstance(decision, RunDecided):
        return decision
    taken_by, own = taken.get(place_of(event, decision)), decision.run_id(event.key)
    if taken_by is not None and taken_by != own:
        return Coalesced(
            decision.agent_key, decision.agent_version, decision.target, decision.decided_by, into=taken_by
        )
    cooldown = None if taken_by == own else _held_back(event, decision, holding)
    if cooldown is None:
        return decision
    detail = f"until {utc_text(cooldown.until)}, because of its run {cooldown.run_id}"
    return Skipped(decision.agent_key, decision.agent_version, Reason.COOLDOWN, None, detail)


def _held_back(event: Event, decision: RunDecided, holding: Mapping[str, Cooldown]) -> Cooldown | None:
    """Return the cooldown that another run has begun, if there is one."""
    if not decision.cooldown_seconds:
        return None
    cooldown = holding.get(_cooldown_key(event, decision))
    return None if cooldown is None or cooldown.run_id == decision.run_id(event.key) else cooldown


def _cooldown_key(event: Event, decision: RunDecided) -> str:
    target = decision.target
    return derived_id("cool", event.organisationid, decision.agent_key, target.type, target.id)
