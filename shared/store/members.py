"""Members: which user belongs to which project, as the product's events told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import UpdateOne

from contracts.ids import derived_id
from shared.store.mongo import Collection, Database, Document, storage_errors


@dataclass(frozen=True, slots=True)
class Member:
    """One user in one project, with the zone of the user's wall clock.

    Without a user it stands for the whole project, without both for the whole organisation.
    """

    organisation: str
    project: str
    user: str
    timezone: str = "UTC"

    @property
    def id(self) -> str:
        return derived_id("mbr", self.organisation, self.project, self.user)


def whole_organisation(organisation: str) -> Member:
    """Return whoever stands for the organisation where something happens once for all of it."""
    return Member(organisation, "", "")


def whole_project(organisation: str, project: str) -> Member:
    """Return whoever stands for the project where something happens once for all of it."""
    return Member(organisation, project, "")


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """A member joined or left at this time; an older change never undoes a newer one."""

    member: Member
    is_member: bool
    at: datetime


class MemberStore:
    """The `members` collection."""

    def __init__(self, database: Database) -> None:
        self._members: Collection = database["members"]

    async def apply(self, changes: Sequence[MembershipChange]) -> None:
        """Write each change unless a newer one is there; applying one twice, or late, changes nothing."""
        writes = [
            UpdateOne(
                {"_id": change.member.id},
                [{"$set": {name: _if_newer(change.at, name, value) for name, value in _fields(change).items()}}],
                upsert=True,
            )
            for change in changes
        ]
        if writes:
            with storage_errors():
                await self._members.bulk_write(writes)

    async def is_member(self, organisation: str, project: str, user: str) -> bool:
        """Return whether the user is a member of the project now."""
        member = Member(organisation, project, user)
        with storage_errors():
            return await self._members.find_one({"_id": member.id, "is_member": True}, {"_id": 1}) is not None

    async def known(self, ids: Iterable[str]) -> dict[str, tuple[Member, bool]]:
        """Return who is known under these ids of members, and whether each is a member now or has left."""
        with storage_errors():
            found = self._members.find({"_id": {"$in": list(ids)}})
            return {document["_id"]: (_member_of(document), document["is_member"]) async for document in found}

    async def of_organisation(self, organisation: str, project: str | None) -> list[Member]:
        """Return everyone who is a member now of this project, or of any of the organisation's without one."""
        query = {"organisation": organisation, "is_member": True, **({} if project is None else {"project": project})}
        with storage_errors():
            return [_member_of(document) async for document in self._members.find(query)]

    async def present(self) -> list[Member]:
        """Return everyone who is a member now."""
        with storage_errors():
            return [_member_of(document) async for document in self._members.find({"is_member": True})]


def _member_of(document: Document) -> Member:
    return Member(document["organisation"], document["project"], document["user"], document["timezone"])


def _fields(change: MembershipChange) -> dict[str, object]:
    member = change.member
    return {
        "organisation": member.organisation,
        "project": member.project,
        "user": member.user,
        "timezone": member.timezone,
        "is_member": change.is_member,
        "changed_at": change.at,
    }


def _if_newer(at: datetime, name: str, value: object) -> dict[str, object]:
    is_newer = {"$lte": [{"$ifNull": ["$changed_at", at]}, at]}
    # A literal, because an id that begins with a dollar sign would be read as a field's name.
    return {"$cond": [is_newer, {"$literal": value}, f"${name}"]}
