"""How a model call can fail. Messages name the model and the next step, never a prompt, an answer or a key."""

from typing import Any

from shared.errors import NotNow, Permanent, Retryable
from shared.llm.port import Usage


class ModelRateLimited(NotNow):
    """The provider takes no more calls for now; `retry_after_seconds` is set when it said for how long."""

    code = "model_rate_limited"


class ModelUnavailable(Retryable):
    """The provider could not be reached, failed, or hung up in the middle of its answer."""

    code = "model_unavailable"


class ModelTimedOut(Retryable):
    """No whole answer arrived in the time allowed. The provider may still charge for the call."""

    code = "model_timed_out"


class ModelAnswerMalformed(Retryable):
    """What the provider sent is not a response of its API, so it says nothing about the request."""

    code = "model_answer_malformed"


class ModelResponseGone(Retryable):
    """The provider does not know the background response any more, or somebody cancelled it there."""

    code = "model_response_gone"


class ModelLaneBusy(NotNow):
    """The provider's limits leave no room for the call soon; `retry_after_seconds` says when there is some."""

    code = "model_lane_busy"


class ModelRequestRefused(Permanent):
    """The provider says that the request itself is wrong, so that repeating it cannot help."""

    code = "model_request_refused"


class ModelAuthFailed(Permanent):
    """The provider does not accept the API key, or the key may not use the model."""

    code = "model_auth_failed"


class ModelQuotaSpent(Permanent):
    """The provider's account has no credit left: unlike a rate limit, waiting does not help."""

    code = "model_quota_spent"


class ModelRefused(Permanent):
    """The model declined to answer. The call is paid: `usage` says what for."""

    code = "model_refused"

    def __init__(self, message: str, usage: Usage, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.usage = usage


class ModelAnswerCut(Permanent):
    """The answer ended at `max_output_tokens` and is useless. The call is paid: `usage` says what for."""

    code = "model_answer_cut"

    def __init__(self, message: str, usage: Usage, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.usage = usage
