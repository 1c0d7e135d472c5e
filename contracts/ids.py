"""Ids that are derived instead of drawn, so that doing something twice names the same record."""

import hashlib
from typing import Final

_DIGEST_BYTES: Final = 16
_DIGITS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = tuple(one + other for one in _DIGITS for other in _DIGITS)
_SHIFTS: Final = range(120, -1, -10)
"""From the first pair of digits to the last: a digest and two bits that are 0 are 13 pairs."""


def derived_id(prefix: str, *parts: str) -> str:
    """Return `<prefix>_` and 26 lowercase base32 characters that depend on every part and on where each part ends.

    The parts are hashed with their lengths: ("ab", "c") and ("a", "bc") give different ids.
    """
    encoded = [part.encode() for part in parts]
    hashed = b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
    return f"{prefix}_{_base32(hashlib.blake2b(hashed, digest_size=_DIGEST_BYTES).digest())}"


def _base32(digest: bytes) -> str:
    """Return the digits of RFC 4648, lowercase and without padding; every event needs it, and this is the fastest way."""
    bits = int.from_bytes(digest, "big") << 2
    return "".join([_PAIRS[bits >> shift & 1_023] for shift in _SHIFTS])


def event_key(organisation: str, source: str, id: str) -> str:
    """Return the key under which an event is stored; source and id name it within its organisation."""
    return derived_id("ev", organisation, source, id)


def run_id(event_key: str, agent_key: str, target_type: str, target_id: str) -> str:
    """Return the id of the only run that this event may start of this Agent on this target."""
    return derived_id("run", event_key, agent_key, target_type, target_id)
