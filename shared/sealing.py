"""Sealing: what users entrust to Towpath for another system is stored encrypted, and opened only where it is used."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from shared.errors import Permanent


class SealBroken(Permanent):
    """What is stored was sealed with another key, or for somebody else."""

    code = "seal_broken"


class Sealer:
    """Seals with the first key, and opens with any: put a new key in front, and what is old can still be opened."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raise ValueError for a key that is not 32 bytes in URL-safe base64."""
        self._keys = MultiFernet([Fernet(key) for key in keys])

    def seal(self, secret: str, owner: str) -> str:
        """Return the secret as it may be stored; only with this owner it can be opened again."""
        return self._keys.encrypt(f"{owner}\n{secret}".encode()).decode()

    def open(self, sealed: str, owner: str) -> str:
        """Return the secret, or raise SealBroken."""
        try:
            found_owner, _, secret = self._keys.decrypt(sealed.encode()).decode().partition("\n")
        except InvalidToken:
            raise SealBroken("A stored key cannot be opened. Has CREDENTIALS_KEY changed? Connect again.") from None
        if found_owner != owner:
            raise SealBroken("A stored key was sealed for somebody else. Connect again.")
        return secret
