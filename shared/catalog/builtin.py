"""The Agents that every installation has."""

from contracts.agents import AgentSpec
from shared.catalog import (
    chat_memory_reviewer,
    docs_memory_reviewer,
    job_follow_up,
    operating_pulse,
    proactive_daily_review,
    roadmap_proposal_generator,
    snapshot_generator,
    ticket_conflict_scanner,
    today_checkin_processor,
)

DEFAULT_SCAN_HOUR_UTC = 2


def builtin_agents(pulse_interval_seconds: int, scan_hour_utc: int = DEFAULT_SCAN_HOUR_UTC) -> tuple[AgentSpec, ...]:
    """Return the built-in Agents; the arguments become default schedules, of the pulse and of the nightly scan.

    All of them work in the background, so they are hidden.
    """
    agents = (
        today_checkin_processor.AGENT,
        docs_memory_reviewer.AGENT,
        chat_memory_reviewer.AGENT,
        operating_pulse.agent(pulse_interval_seconds),
        proactive_daily_review.AGENT,
        ticket_conflict_scanner.agent(scan_hour_utc),
        roadmap_proposal_generator.AGENT,
        snapshot_generator.AGENT,
        job_follow_up.AGENT,
    )
    return tuple(agent.model_copy(update={"hidden": True}) for agent in agents)
