"""The tickets that are made up for measuring the scan."""

import pytest

from infra.scan.planting import plant
from infra.scan.scanning import score


def test_as_many_as_were_asked_for_and_the_same_for_the_same_seed() -> None:
    planted = plant(300, 12, 6, seed=3)

    assert len({each.id for each in planted.tickets}) == 300
    assert (len(planted.duplicates), len(planted.conflicts)) == (12, 6)
    assert planted == plant(300, 12, 6, seed=3)
    assert planted != plant(300, 12, 6, seed=4)


def test_planted_pairs_are_told_in_other_words_and_all_others_differ() -> None:
    planted = plant(300, 12, 6, seed=3)
    said = {each.id: (each.title, each.description) for each in planted.tickets}

    assert len(set(said.values())) == 300
    for pair in planted.duplicates:
        one, other = pair
        assert said[one] != said[other]


def test_more_than_there_is_to_say_is_refused() -> None:
    with pytest.raises(ValueError, match="tickets: 90000 cannot be"):
        plant(90_000, 50, 20, seed=1)


def test_recall_and_precision() -> None:
    found = frozenset({frozenset("ab"), frozenset("cd")})

    assert score(found, frozenset({frozenset("ab")})) == (1.0, 0.5)
    assert score(frozenset(), found) == (0.0, 1.0)
