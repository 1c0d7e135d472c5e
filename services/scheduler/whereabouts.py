"""Who the people are about whom something is remembered, and whether a trigger is for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domain.serving import serves
from shared.store.members import Member, MemberStore

Place = tuple[str, str | None, str]
"""Organisation, project or none, and user."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What is known of some people. Of whom no event said that they joined or left, it is only known that they are there."""

    known: Mapping[str, tuple[Member, bool]]

    def timezone(self, place: Place) -> str:
        """Return the zone of this person's wall clock."""
        known = self._known(place)
        return "UTC" if known is None else known[0].timezone

    def has_left(self, place: Place) -> bool:
        """Return whether this person is a member of the project no more."""
        known = self._known(place)
        return known is not None and not known[1]

    def is_served(self, user_filter: str, place: Place) -> bool:
        """Return whether a trigger with this filter is for this person."""
        return not self.has_left(place) and serves(user_filter, *place, self.timezone(place))

    def _known(self, place: Place) -> tuple[Member, bool] | None:
        organisation, project, user = place
        return None if project is None else self.known.get(Member(organisation, project, user).id)


async def look_up(members: MemberStore, places: Iterable[Place]) -> Whereabouts:
    """Read about these people."""
    ids = {Member(organisation, project, user).id for organisation, project, user in places if project is not None}
    return Whereabouts(await members.known(ids) if ids else {})
