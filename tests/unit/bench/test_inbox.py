"""The proposals that the benchmark writes are proposals that the gateway shows."""

from datetime import UTC, datetime

from infra.bench.scenarios.inbox import ended_run
from services.gateway.views import ProposalView, proposal_view
from shared.domain.projection import proposals_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_each_run_of_the_benchmark_asks_for_a_memory_diff_and_an_epic() -> None:
    shown = [ProposalView.model_validate(proposal_view(each)) for each in proposals_of(ended_run(3, NOW))]

    assert [(each.kind, each.status, each.agent_key) for each in shown] == [
        ("memory_diff", "pending", "agent_3"),
        ("epic", "pending", "agent_3"),
    ]
