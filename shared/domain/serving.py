"""Whom a trigger serves. Pure."""

from functools import lru_cache

from contracts.filters import ALL, MEMBER, MEMBER_ATTRIBUTES, compiled

_MOST_KNOWN = 65_536


@lru_cache(maxsize=_MOST_KNOWN)
def serves(user_filter: str, organisation: str, project: str | None, user: str, timezone: str) -> bool:
    """Return whether a trigger is for this member; an expression that fails on somebody does not serve that member."""
    if user_filter == ALL:
        return True
    attributes = dict(zip(MEMBER_ATTRIBUTES, (organisation, project or "", user, timezone), strict=True))
    try:
        return compiled(user_filter).execute({MEMBER: attributes}) is True
    except (KeyError, RuntimeError, TypeError, ValueError, ArithmeticError, IndexError):
        return False
