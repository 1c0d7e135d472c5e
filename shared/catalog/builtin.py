"""The Agents that every installation has."""

from contracts.agents import AgentSpec
from shared.catalog import chat_memory_reviewer, docs_memory_reviewer, operating_pulse, today_checkin_processor


def builtin_agents(pulse_interval_seconds: int) -> tuple[AgentSpec, ...]:
    """Return the built-in Agents; the interval becomes the default schedule of the operating pulse."""
    return (
        today_checkin_processor.AGENT,
        docs_memory_reviewer.AGENT,
        chat_memory_reviewer.AGENT,
        operating_pulse.agent(pulse_interval_seconds),
    )
