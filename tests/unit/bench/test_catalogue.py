from infra.bench.catalogue import NAMES, SCENARIOS, chosen
from infra.bench.scale import FULL, QUICK


def test_without_names_every_scenario_is_chosen_in_order() -> None:
    groups = chosen([])

    assert [scenario.name for _, scenarios in groups for scenario in scenarios] == list(NAMES)


def test_neighbours_with_equal_needs_share_a_platform() -> None:
    groups = chosen([])

    assert len(groups) == len({needs for needs, _ in groups}) < len(SCENARIOS)


def test_only_the_named_ones_are_chosen() -> None:
    ((needs, scenarios),) = chosen(["killed"])

    assert [scenario.name for scenario in scenarios] == ["killed"]
    assert needs == scenarios[0].needs


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_all_scenarios_together_are_bounded() -> None:
    assert sum(scenario.limit_seconds for scenario in SCENARIOS) < 800


def test_quick_measures_less() -> None:
    assert QUICK.noop_runs < FULL.noop_runs
    assert QUICK.accept_seconds < FULL.accept_seconds
