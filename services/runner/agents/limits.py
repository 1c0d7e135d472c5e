"""What ends a run that goes in circles. Figures are of the whole run: calls that are replayed count as well."""

from services.runner.work import Attempt
from shared.errors import LimitReached


class RequestLimitReached(LimitReached):
    """The run has made as many model calls as its Agent may."""

    code = "request_limit_reached"


class TokenLimitReached(LimitReached):
    """The run has used as many tokens as its Agent may."""

    code = "token_limit_reached"


class RoundLimitReached(LimitReached):
    """The model has asked for tools as often as its Agent may."""

    code = "round_limit_reached"


class ToolCallTimedOut(LimitReached):
    """A tool did not return in the time that the Agent allows."""

    code = "tool_call_timed_out"


def check_model_call(attempt: Attempt) -> None:
    """Raise when the run may make no more model calls."""
    limits, used = attempt.spec.limits, attempt.usage
    if limits.request_limit is not None and used.model_calls >= limits.request_limit:
        raise RequestLimitReached(
            f"The run has made {used.model_calls} model calls, and limits.request_limit of"
            f" {attempt.owner_of('request_limit')} is {limits.request_limit}. Raise it, or have the Agent need fewer.",
            attempt.produced,
        )
    check_tokens(attempt)


def check_round(attempt: Attempt, rounds: int) -> None:
    """Raise when the model may not have tools called once more after this many rounds."""
    most = attempt.spec.limits.max_rounds
    if rounds >= most:
        raise RoundLimitReached(
            f"The model asks for tools after {rounds} rounds of them, and limits.max_rounds of '{attempt.spec.key}' is"
            f" {most}. Raise it, or have the Agent need fewer.",
            attempt.produced,
        )
    check_tokens(attempt)


def check_tokens(attempt: Attempt) -> None:
    """Raise when the run has used all the tokens that it may."""
    most, used = attempt.spec.limits.total_tokens_limit, attempt.usage
    tokens = used.input_tokens + used.output_tokens
    if most is not None and tokens >= most:
        raise TokenLimitReached(
            f"The run has used {tokens:,} tokens, and limits.total_tokens_limit of"
            f" {attempt.owner_of('total_tokens_limit')} is {most:,}. Raise it, or have the Agent need fewer.",
            attempt.produced,
        )
