"""Asks the gateway, and turns every answer that is no success into an error for a person."""

from collections.abc import Mapping
from typing import Any

import httpx2

from services.cli.connection import Connection
from services.cli.errors import Refused, Unreachable, said

_TIMEOUT_SECONDS = 30.0
_UNAVAILABLE = frozenset({502, 503, 504})

Document = dict[str, Any]


class Gateway:
    """One gateway, with one token. `transport` is how requests are sent, when it is not over the network."""

    def __init__(self, connection: Connection, transport: httpx2.BaseTransport | None = None) -> None:
        self._url = connection.url
        self._client = httpx2.Client(
            base_url=connection.url,
            headers={"Authorization": f"Bearer {connection.token}"},
            timeout=_TIMEOUT_SECONDS,
            transport=transport,
        )

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Document:
        """Return what is there; parameters that are None are left out."""
        return self._ask("GET", path, params=_given(params or {}))

    def post(self, path: str, document: Mapping[str, Any] | None = None) -> Document:
        """Have something done; fields that are None are left out."""
        return self._ask("POST", path, json=_given(document or {}))

    def _ask(self, method: str, path: str, **content: Any) -> Document:
        try:
            answer = self._client.request(method, path, **content)
        except httpx2.HTTPError as error:
            raise Unreachable(
                f"The gateway at {self._url} does not answer: {error or type(error).__name__}."
                " Is it running (`./taskw up`), and is --url or TOWPATH_URL right?"
            ) from error
        if answer.is_success:
            return dict(answer.json())
        raise _error(self._url, answer)


def _error(url: str, answer: httpx2.Response) -> Refused | Unreachable:
    problem = _problem(answer)
    if problem is None:
        return Unreachable(f"{url} answered {answer.status_code} and not like a Towpath gateway. Is the address right?")
    return Unreachable(said(problem)) if answer.status_code in _UNAVAILABLE else Refused(problem)


def _problem(answer: httpx2.Response) -> Document | None:
    if answer.headers.get("content-type") != "application/problem+json":
        return None
    return dict(answer.json())


def _given(values: Mapping[str, Any]) -> Document:
    return {name: value for name, value in values.items() if value is not None}
