"""Ids that are derived instead of drawn, so that doing something twice names the same record."""

import base64
import hashlib

_DIGEST_BYTES = 16
_DIGITS = 26


def derived_id(prefix: str, *parts: str) -> str:
    """Return `<prefix>_` and 26 lowercase base32 characters that depend on every part and on where each part ends.

    The parts are hashed with their lengths: ("ab", "c") and ("a", "bc") give different ids.
    """
    encoded = [part.encode() for part in parts]
    hashed = b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
    digest = hashlib.blake2b(hashed, digest_size=_DIGEST_BYTES).digest()
    return f"{prefix}_{base64.b32encode(digest)[:_DIGITS].decode().lower()}"


def event_key(organisation: str, source: str, id: str) -> str:
    """Return the key under which an event is stored; source and id name it within its organisation."""
    return derived_id("ev", organisation, source, id)


def run_id(event_key: str, agent_key: str, target_type: str, target_id: str) -> str:
    """Return the id of the only run that this event may start of this Agent on this target."""
    return derived_id("run", event_key, agent_key, target_type, target_id)
