"""What sorts Agents and who may see them: types, categories, tags, visibility, and the status of an Agent."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

MOST_TAGS = 20


class AgentType(StrEnum):
    """What kind of worker an Agent is; it sorts and filters, and changes nothing at run time."""

    CODE_ARCHITECT = "code_architect"
    SECURITY_EXPERT = "security_expert"
    PERFORMANCE_OPTIMIZER = "performance_optimizer"
    DATA_ANALYST = "data_analyst"
    INFRASTRUCTURE_MANAGER = "infrastructure_manager"
    CUSTOM = "custom"
    SYSTEM = "system"
    SPECIALIZED = "specialized"


class AgentStatus(StrEnum):
    """Whether an Agent works. It belongs to the Agent, not to a version, and holds at once.

    `inactive`: its events start nothing. `paused`, `maintenance`: its runs are queued and wait.
    """

    ACTIVE = "active"
    INACTIVE = "inactive"
    MAINTENANCE = "maintenance"
    PAUSED = "paused"


class Visibility(StrEnum):
    """Whose an Agent is: every organisation sees those of the server, and its own."""

    ORGANISATION = "organisation"
    SERVER = "server"


def _normalised(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return value
    return tuple(dict.fromkeys(tag.strip().lower() if isinstance(tag, str) else tag for tag in value))


Tags = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=64)], ...],
    BeforeValidator(_normalised),
    Field(max_length=MOST_TAGS),
]
"""Words to find Agents by: lower case, trimmed, each once, at most twenty."""
