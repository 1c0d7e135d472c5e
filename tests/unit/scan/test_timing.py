"""The seconds of a scan's parts."""

from infra.scan.timing import Stopwatch


def test_what_goes_on_several_times_at_once_counts_once() -> None:
    watch = Stopwatch()

    with watch.during("all"):
        with watch.during("judging"), watch.during("judging"):
            assert watch.seconds["judging"] == 0.0
        judged = watch.seconds["judging"]

    assert 0.0 < judged <= watch.seconds["all"]
