"""Which titles share words that seldom come together."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

from services.runner.agents.ticket_scan.titles import pairs_by_titles
from shared.domain.ticket import PairKey, Ticket
from tests.unit.services.runner.agents.ticket_scan.given import a_ticket

A, B, C, D = "T-1", "T-2", "T-3", "T-4"


def titled(titles: Mapping[str, str]) -> dict[str, Ticket]:
    return {id_: replace(a_ticket(1, title), id=id_) for id_, title in titles.items()}


def every_pair(tickets: Mapping[str, Ticket]) -> list[PairKey]:
    return list(combinations(sorted(tickets), 2))


def test_a_turn_of_phrase_counts_once_however_many_words_it_takes() -> None:
    others = {f"O-{number}": title for number in range(20) for title in [f"tide{number} of trail{number}"]}
    tickets = titled(
        {
            A: "Hide tide1 unless somebody really asks",
            B: "Hide ferry2 unless somebody really asks",
            C: "Ferry5 with dark colours",
            D: "Dark ferry5",
        }
        | others
    )

    order = pairs_by_titles(tickets, [(A, B), (C, D)])

    assert order == [(C, D), (A, B)]


def test_a_longer_title_takes_nothing_from_what_the_plainer_one_says() -> None:
    tickets = titled(
        {
            A: "Blurred barcode",
            B: "Barcode is blurred whenever a phone of some ranger has a broken screen",
            C: "Blurred photo",
            D: "Slow export",
        }
    )

    assert pairs_by_titles(tickets, every_pair(tickets))[0] == (A, B)


def test_only_likely_pairs_are_looked_at_so_many_for_a_ticket() -> None:
    tickets = titled({f"T-{number:02}": f"Export number{number}" for number in range(30)})
    likely = every_pair(tickets)

    assert sorted(pairs_by_titles(tickets, likely)) == likely[: 8 * 30]


def test_titles_without_words_share_nothing() -> None:
    assert pairs_by_titles(titled({A: "!", B: "?"}), [(A, B)]) == [(A, B)]
