"""Why a request about an Agent is refused."""

from services.gateway.problems import RequestInvalid
from shared.errors import Conflict


class AgentInvalid(RequestInvalid):
    """The Agent cannot be published; `errors` in the facts names each wrong field."""

    code = "agent_invalid"


class AgentExists(Conflict):
    """There is an Agent of this key already."""

    code = "agent_exists"


class AgentNameTaken(Conflict):
    """Another Agent of the same organisation has this name."""

    code = "agent_name_taken"


class AgentDisabled(Conflict):
    """A binding disables the Agent for whom it is to be started; `decided_by` in the facts names it."""

    code = "agent_disabled"


class AgentInactive(Conflict):
    """The Agent's status is `inactive`."""

    code = "agent_inactive"


class AgentNotManual(Conflict):
    """The published version says that nobody starts the Agent by hand."""

    code = "agent_not_manual"


class ConfirmationRequired(Conflict):
    """The change would end runs that are open; `impact` in the facts says which."""

    code = "confirmation_required"


class AgentUnpublished(Conflict):
    """The Agent is only a draft, or archived, so there is nothing to run."""

    code = "agent_unpublished"


class RequestIdReused(Conflict):
    """The request id was used for something else."""

    code = "request_id_reused"
