from datetime import UTC, datetime

import orjson
from rich.console import Console

from infra.bench.figures import Figure, Headline, Section
from infra.bench.peers import PEERS
from infra.bench.report import Results, as_json, as_tables, headlines_of, shown

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RUNS = Section(
    "No-op runs",
    [Figure("32 in flight", 1234.5, "runs/s", "by HTTP")],
    "the remark",
    {Headline.RUNS_PER_SECOND: 1234.5},
)
RESULTS = Results({"cores": "2"}, {"noop": RUNS}, {})


def printed(results: Results, width: int = 100) -> str:
    console = Console(width=width, record=True, quiet=True)
    with console.capture() as capture:
        console.quiet = False
        console.print(as_tables(results))
    return capture.get()


def test_numbers_keep_the_digits_that_matter() -> None:
    assert [shown(value) for value in (0.6, 6.123, 61.23, 612.3, 6123.4)] == ["0.60", "6.12", "61.2", "612", "6,123"]


def test_the_table_shows_figures_remarks_and_the_machine() -> None:
    text = printed(RESULTS)

    for expected in ("No-op runs", "32 in flight", "1,234", "runs/s", "by HTTP", "the remark", "cores 2"):
        assert expected in text


def test_other_systems_stand_beside_with_their_figures() -> None:
    text = printed(RESULTS)

    assert all(peer.name in text for peer in PEERS)
    assert "Towpath, here" in text
    assert "2026-11" in text


def test_without_a_figure_to_compare_no_other_system_is_shown() -> None:
    assert PEERS[0].name not in printed(Results({}, {"memory": Section("Memory", [])}, {}))


def test_a_failure_is_named() -> None:
    assert "slow failed: not done after 60 s" in printed(Results({}, {}, {"slow": "not done after 60 s"}))


def test_a_disturbed_measurement_says_so() -> None:
    disturbed = Section("No-op runs", [], other_cores=1.24)

    assert "Other programs used 1.2 cores" in printed(Results({}, {"noop": disturbed}, {}))


def test_a_quiet_measurement_does_not() -> None:
    assert "Other programs" not in printed(RESULTS)


def test_the_comparison_fits_a_narrow_terminal() -> None:
    lines = printed(RESULTS, width=80).splitlines()

    assert any("SAQ + PostgreSQL" in line and "757" in line and "1.10" in line for line in lines)


def test_headlines_of_all_sections_are_put_together() -> None:
    listing = Section("Listing", [], headlines={Headline.ACTIVE_MS: 2.0})

    assert headlines_of([RUNS, listing]) == {Headline.RUNS_PER_SECOND: 1234.5, Headline.ACTIVE_MS: 2.0}


def test_the_json_holds_every_figure() -> None:
    document = orjson.loads(orjson.dumps(as_json(RESULTS, NOW)))

    assert document["measured_at"] == "2026-11-20T12:00:00+00:00"
    assert document["machine"] == {"cores": "2"}
    assert document["sections"]["noop"]["figures"][0]["value"] == 1234.5
    assert document["sections"]["noop"]["headlines"] == {"runs_per_second": 1234.5}
