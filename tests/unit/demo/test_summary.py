"""The figures and the last words."""

from collections import Counter

from rich.console import Console

from infra.demo.progress import Progress
from infra.demo.summary import Elapsed, summary, verdict
from tests.unit.demo.samples import checkin, run, skipped, started


def test_the_figures_are_those_of_the_progress() -> None:
    progress = Progress(sent_again=2)
    for id_, decisions in {"1": [started("run_1")], "2": [skipped("user")], "3": [started("run_3")]}.items():
        progress.follow(checkin(id_), is_fire=id_ == "3")
        progress.decide(checkin(id_).key, decisions)
    progress.see_run(run("run_1", "completed"))
    progress.see_run(run("run_3", "completed"))
    console = Console(width=100, force_terminal=False)

    with console.capture() as captured:
        console.print(summary(progress, Counter(memory_diff=5, roadmap_item=2), Elapsed(starting=4.0, playing=6.5)))

    rows = [row.split() for row in captured.get().splitlines()]
    assert [(row[0], row[1]) for row in rows if row[0] != "model"] == [
        ("events", "2"),
        ("duplicates", "2"),
        ("decisions", "3"),
        ("runs", "2"),
        ("proposals", "7"),
        ("elapsed", "10.5"),
    ]
    assert "5 memory diff, 2 roadmap item" in captured.get()
    assert "2 run, 1 skipped" in captured.get()
    assert "200 tokens in, 40 out" in captured.get()


def test_the_last_words_list_everything_that_is_missing() -> None:
    assert verdict([]).plain == "Every event has its decisions, and every run ended."
    assert verdict(["one", "two"]).plain == "Something is missing:\n  one\n  two"
