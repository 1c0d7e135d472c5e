"""Which pairs of tickets are compared."""

from collections.abc import Mapping
from dataclasses import replace

from services.runner.agents.ticket_scan.candidates import candidates, pairs_by_meaning
from services.runner.agents.ticket_scan.words import pairs_by_words
from shared.domain.ticket import PairKey, Ticket
from shared.retrieval.port import Neighbour
from tests.unit.services.runner.agents.ticket_scan.given import a_ticket

A, B, C, D = "T-1", "T-2", "T-3", "T-4"
ALL = frozenset({A, B, C, D})


def titled(titles: Mapping[str, str]) -> dict[str, Ticket]:
    return {id_: replace(a_ticket(1, title), id=id_) for id_, title in titles.items()}


def test_pairs_by_meaning_are_named_once_the_likest_first() -> None:
    near = {A: [Neighbour(B, 0.9), Neighbour(C, 0.3)], B: [Neighbour(A, 0.9)], D: [Neighbour(C, 0.5)]}

    assert pairs_by_meaning(near) == [(A, B), (C, D), (A, C)]


def test_pairs_by_words_share_what_few_others_say() -> None:
    tickets = titled(
        {
            A: "The barcode is blurred on phones",
            B: "Blurred barcodes on the phone",
            C: "The export is slow on phones",
            D: "The import",
        }
    )
    likest, *_ = pairs_by_words(tickets)

    assert likest == (A, B)
    assert all(D not in pair for pair in pairs_by_words(tickets))


def test_two_common_words_together_are_rare_and_a_long_description_takes_nothing_from_that() -> None:
    tickets = titled({A: "Show blurred barcodes", B: "Hide blurred barcodes"}) | titled(
        {f"O-{number}": ("blurred" if number % 2 else "barcodes") + f" other{number}" for number in range(80)}
    )
    tickets[B] = replace(tickets[B], description="Everything is different here. " * 9)

    assert pairs_by_words(tickets)[0] == (A, B)


def test_a_word_that_many_tickets_have_makes_no_pairs() -> None:
    others = {f"O-{number}": f"other{number}" for number in range(60)}

    def exports(count: int) -> dict[str, str]:
        return {f"T-{number}": "export" for number in range(count)}

    assert pairs_by_words(titled(exports(26) | others)) == []
    assert len(pairs_by_words(titled(exports(3) | others))) == 3
    assert pairs_by_words(titled(exports(3))) == []


def test_what_both_orders_name_comes_before_what_one_does() -> None:
    by_meaning: list[PairKey] = [(A, B), (C, D)]
    by_words: list[PairKey] = [(B, C), (C, D)]

    assert candidates((by_meaning, by_words), ALL) == [(C, D), (A, B), (B, C)]


def test_only_open_tickets_and_those_that_are_asked_about_count() -> None:
    orders: list[list[PairKey]] = [[(A, B), (B, C), (C, D)]]

    assert candidates(orders, frozenset({A, B, C})) == [(A, B), (B, C)]
    assert candidates(orders, ALL, frozenset({D})) == [(C, D)]


def test_one_ticket_does_not_take_all_places() -> None:
    hub: list[PairKey] = [("T-0", f"T-{number}") for number in range(1, 9)]
    tickets = frozenset(each for pair in hub for each in pair)

    assert candidates([[*hub, ("T-7", "T-8")]], tickets) == [*hub[:6], ("T-7", "T-8")]


def test_a_large_project_is_compared_in_a_number_of_pairs_that_grows_with_it() -> None:
    pairs: list[PairKey] = [(f"T-{number:04}", f"T-{number + 1:04}") for number in range(1_000)]

    assert len(candidates([pairs], frozenset(each for pair in pairs for each in pair))) == 500
    assert len(candidates([pairs], frozenset(each for pair in pairs[:100] for each in pair))) == 60
