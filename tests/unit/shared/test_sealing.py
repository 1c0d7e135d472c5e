"""What is sealed can be opened by its owner, with the key or an older one, and by nobody else."""

import pytest
from cryptography.fernet import Fernet

from shared.sealing import SealBroken, Sealer

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRET = "sk-0123456789"


def test_what_is_sealed_is_not_to_be_read_and_opens_again() -> None:
    sealed = Sealer([NEW]).seal(SECRET, "ada")

    assert SECRET not in sealed
    assert Sealer([NEW]).open(sealed, "ada") == SECRET


def test_a_key_may_be_replaced_while_the_one_before_stays_behind_it() -> None:
    sealed = Sealer([OLD]).seal(SECRET, "ada")

    assert Sealer([NEW, OLD]).open(sealed, "ada") == SECRET
    with pytest.raises(SealBroken, match="CREDENTIALS_KEY"):
        Sealer([NEW]).open(sealed, "ada")


def test_what_was_sealed_for_one_opens_for_nobody_else() -> None:
    with pytest.raises(SealBroken, match="somebody else"):
        Sealer([NEW]).open(Sealer([NEW]).seal(SECRET, "ada"), "bob")
