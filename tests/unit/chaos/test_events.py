from itertools import islice

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.registry import parse_json
from infra.chaos.events import Mix

any_speed = settings(deadline=None)


@any_speed
@given(st.integers(0, 1_000), st.floats(0, 1))
def test_every_event_is_valid_and_its_key_is_the_platforms(seed: int, share: float) -> None:
    for sent in islice(Mix(seed, "tag", share).events(), 20):
        assert parse_json(sent.body).key == sent.key


def test_the_same_seed_gives_the_same_events() -> None:
    first, second = (list(islice(Mix(7, "tag", 0.3).events(), 50)) for _ in range(2))

    assert first == second


def test_runs_last_from_a_fifth_of_a_second_to_two_seconds() -> None:
    events = [orjson.loads(sent.body) for sent in islice(Mix(7, "tag", 0.0).events(), 500)]

    assert all(200 <= event["pausems"] <= 2_000 for event in events)


def test_the_share_that_asks_a_model_is_about_what_was_asked_for() -> None:
    asking = sum(sent.asks_a_model for sent in islice(Mix(7, "tag", 0.25).events(), 2_000))

    assert 400 < asking < 600


def test_what_asks_a_model_bears_its_mark_in_the_text() -> None:
    for sent in islice(Mix(7, "tag", 1.0).events(), 20):
        assert f"room {sent.mark}." in sent.body.decode()


def test_batches_of_pauses_have_ids_of_their_own() -> None:
    mix = Mix(7, "tag", 0.0)

    keys = [sent.key for _ in range(3) for sent in mix.pauses(5, milliseconds=100)]

    assert len(set(keys)) == 15
