"""The errors of the provider's library, told in the words of `shared.llm.errors`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from openai import APIConnectionError, APIStatusError

from shared.clock import Clock
from shared.errors import AppError
from shared.llm.errors import (
    ModelAuthFailed,
    ModelQuotaSpent,
    ModelRateLimited,
    ModelRequestRefused,
    ModelUnavailable,
)
from shared.llm.retry_after import retry_after_seconds

_LONGEST_DETAIL = 300
_QUOTA_SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
# Not the request's fault: too slow in arriving, or in conflict with another one.
_PASSING = frozenset({408, 409})
_SERVER_ERRORS = 500


class Translation:
    """Translates for one endpoint, which its messages name as `host`."""

    def __init__(self, host: str, clock: Clock) -> None:
        self._host = host
        self._clock = clock

    @contextmanager
    def about(self, subject: str, **named: str) -> Iterator[None]:
        """Raise what the library raises inside the block as an AppError about this subject, with these facts."""
        try:
            yield
        except APIStatusError as error:
            # Not chained, here and below: the library's errors may quote the request or the key.
            raise self._answered_with(error, subject, named) from None
        except APIConnectionError as error:
            raise self._hung_up(error, subject, named) from None

    def _answered_with(self, error: APIStatusError, subject: str, named: Mapping[str, Any]) -> AppError:
        facts: dict[str, Any] = {
            **named,
            "http_status": error.status_code,
            "provider_code": error.code,
            "request_id": error.request_id,
        }
        said = f"{subject}: the provider answered {error.status_code}"
        wait = retry_after_seconds(error.response.headers, self._clock())
        match error.status_code:
            case 401 | 403:
                return ModelAuthFailed(
                    f"{said}. Check that OPENAI_API_KEY is valid for {self._host} and may use this model.", **facts
                )
            case 429 if {error.code, error.type} & _QUOTA_SPENT:
                return ModelQuotaSpent(f"{said}: the account has no credit left. Add credit at the provider.", **facts)
            case 429:
                return ModelRateLimited(f"{said}: too many calls or tokens for now.", retry_after_seconds=wait, **facts)
            case status if status in _PASSING or status >= _SERVER_ERRORS:
                return ModelUnavailable(
                    f"{said}. The provider is at fault; it usually passes.", retry_after_seconds=wait, **facts
                )
        return ModelRequestRefused(f"{said}: {_detail(error)}. Correct the Agent or the model's name.", **facts)

    def _hung_up(self, error: APIConnectionError, subject: str, named: Mapping[str, Any]) -> AppError:
        cause = type(error.__cause__ or error).__name__
        return ModelUnavailable(
            f"{subject}: no answer from {self._host}, the connection failed ({cause}). Check that OPENAI_BASE_URL"
            " names a server that runs and can be reached from here.",
            cause=cause,
            **named,
        )


def _detail(error: APIStatusError) -> str:
    """Return the provider's explanation, unless it is about the part of the request that holds people's texts."""
    about, code = error.param or "", error.code or "without a code"
    if not about or about.startswith(("input", "instructions")) or not isinstance(error.body, dict):
        return f"{code}, about '{about}'" if about else code
    return f"{about}: {str(error.body.get('message'))[:_LONGEST_DETAIL].rstrip('.')}"
