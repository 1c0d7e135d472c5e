"""The events of the load are ones that the platform accepts."""

from collections import Counter
from itertools import islice

import orjson

from contracts.registry import parse_json
from infra.soak.events import AGENTS, MIX, REFUSED, Kind, mixed


def test_the_mix_holds_every_kind_as_often_as_it_says() -> None:
    sent = list(islice(mixed(), 3 * len(MIX)))

    assert Counter(each.kind for each in sent) == {kind: 3 * MIX.count(kind) for kind in Kind}
    assert len({orjson.loads(each.body)["id"] for each in sent}) == len(sent)


def test_every_event_is_accepted_and_starts_what_its_kind_needs() -> None:
    started = {trigger.event for spec in AGENTS for trigger in spec.triggers}
    for sent in islice(mixed(), len(MIX)):
        event = parse_json(sent.body)
        asks_a_model = sent.kind in {Kind.MODEL, Kind.FAILS}
        assert (event.type == "checkin.submitted") is asks_a_model
        assert (event.type in started) is not asks_a_model
        assert (REFUSED.encode() in sent.body) is (sent.kind is Kind.FAILS)
