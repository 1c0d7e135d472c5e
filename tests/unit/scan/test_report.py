"""What a person reads of a scan."""

from rich.console import Console, RenderableType

from infra.scan.planting import MadeTicket, Planted
from infra.scan.report import Prices, again_as_table, as_table, misses
from infra.scan.scanning import Found
from shared.domain.run import Usage

A, B, C, D = (MadeTicket(f"P-{number}", f"Title {number}", "Why.") for number in range(1, 5))
AB, AC, CD = frozenset({"P-1", "P-2"}), frozenset({"P-1", "P-3"}), frozenset({"P-3", "P-4"})
PLANTED = Planted((A, B, C, D), frozenset({AB, AC}), frozenset({CD}))
FIGURES = {"compared": 3, "known": 2, "left": 1, "model_calls": 4, "embedding_calls": 5, "embedding_tokens": 1_000}
FOUND = Found(
    duplicates=frozenset({AB, CD}),
    conflicts=frozenset(),
    asked=frozenset({AB, CD}),
    figures=FIGURES,
    usage=Usage(11_000, 2_000, 4),
    seconds=9.0,
    seconds_of={"vectors": 1.5, "judging": 4.0},
)


def text_of(shown: RenderableType) -> list[str]:
    console = Console(width=110)
    with console.capture() as captured:
        console.print(shown)
    return [" ".join(line.split()) for line in captured.get().splitlines() if line.strip()]


def test_planted_reached_found_and_false_pairs_stand_beside_recall_and_precision() -> None:
    lines = text_of(as_table(FOUND, PLANTED, Prices()))

    assert "duplicates 2 1 1 1 50% 50%" in lines
    assert "conflicts 1 1 0 0 0% -" in lines


def test_what_it_took_is_told_by_part_and_costs_what_the_prices_say() -> None:
    lines = text_of(again_as_table("Again", FOUND, Prices(1.0, 10.0, 0.5)))

    assert lines == [
        "Again",
        "pairs 3 judged, 2 known, 1 left",
        "model 4 calls, 10,000 tokens in, 2,000 out",
        "vectors 5 calls, 1,000 tokens",
        "cost 0.0305",
        "seconds 9.0: vectors 1.5, index 0.0, neighbours 0.0, judging 4.0, the rest 3.5",
    ]
    assert "cost no prices were given" in text_of(again_as_table("Again", FOUND, Prices()))


def test_misses_are_told_by_kind_with_both_texts() -> None:
    lines = text_of(misses(FOUND, PLANTED, 5))

    assert [line for line in lines if not line.startswith("P-")] == [
        "1 duplicates that did not reach the model",
        "1 false duplicates",
        "1 conflicts that were missed",
    ]
    assert lines[1:3] == ["P-1 Title 1 / Why.", "P-3 Title 3 / Why."]
