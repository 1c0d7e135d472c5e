"""Fires that start nothing when the member has an event of some type: decided purely."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.behaviour import Unless
from contracts.envelope import Event
from contracts.schedules import ScheduleFired
from services.gating.overlap import Decided
from shared.domain.configuration import Configuration
from shared.domain.decision import Decision, Reason, RunDecided, Skipped
from shared.domain.words import utc_text
from shared.store.sightings import Sighting, Sought


@dataclass(frozen=True, slots=True)
class LookingFire:
    """A fire that starts a run, unless an event like the one `sought` came `since` then."""

    event_key: str
    decision: RunDecided
    sought: Sought
    since: datetime

    def decided(self, sighting: Sighting | None) -> Decision:
        """Return the decision once it is known what came last."""
        if sighting is None or sighting.at < self.since:
            return self.decision
        came = f"{self.sought.type} {sighting.event_key} came at {utc_text(sighting.at)}"
        detail = f"{came}, and its schedule fires unless there is such an event"
        return Skipped(self.decision.agent_key, self.decision.agent_version, Reason.EVENT_SEEN, None, detail)


def looking_fires(events: Iterable[Event], decided: Decided, configuration: Configuration) -> list[LookingFire]:
    """Return the fires among the events whose start depends on what the member did."""
    return [
        LookingFire(
            event.key, decision, Sought(event.organisationid, event.projectid, event.userid, unless.event), since
        )
        for event in events
        if isinstance(event, ScheduleFired) and event.projectid is not None and event.userid is not None
        for decision in decided.get(event.key, ())
        if isinstance(decision, RunDecided)
        and (unless := _unless_of(event.organisationid, decision.agent_key, configuration)) is not None
        for since in [event.data.due_at - timedelta(seconds=unless.within_seconds)]
    ]


def without_seen(fires: Iterable[LookingFire], latest: Mapping[Sought, Sighting]) -> Decided:
    """Return the decisions of the fires anew, by the latest event of each that was sought."""
    return {fire.event_key: [fire.decided(latest.get(fire.sought))] for fire in fires}


def _unless_of(organisation: str, agent_key: str, configuration: Configuration) -> Unless | None:
    version = configuration.agent(organisation, agent_key)
    trigger = None if version is None else version.spec.schedule_trigger
    return None if trigger is None else trigger.unless
