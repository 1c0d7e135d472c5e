"""Asks the gateway, and turns every answer that is no success into an error for a person."""

from collections.abc import Callable, Mapping, Sequence
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

    def send(
        self, method: str, path: str, document: Mapping[str, Any], params: Mapping[str, Any] | None = None
    ) -> Document:
        """Have something done with exactly this document; parameters that are None are left out."""
        return self._ask(method, path, json=dict(document), params=_given(params or {}))

    def _ask(self, method: str, path: str, **content: Any) -> Document:
        try:
            answer = self._client.request(method, path, **content)
        except httpx2.HTTPError as error:
            raise Unreachable(
                f"The gateway at {self._url} does not answer: {error or type(error).__name__}."
                " Is it running (`./taskw up`), and is --url or TOWPATH_URL right?"
            ) from error
        document = _document(answer)
        if answer.is_success and document is not None:
            return document
        raise _error(self._url, answer.status_code, document)


def for_each(ids: Sequence[str], ask: Callable[[str], Document], report: Callable[[list[Document]], None]) -> None:
    """Do something for each id, whatever becomes of the others, and report what was done; then raise what was refused."""
    done, refused = [], []
    for each in ids:
        try:
            done.append(ask(each))
        except Refused as error:
            refused.append(f"{each}: {error}" if len(ids) > 1 else str(error))
    if done:
        report(done)
    if refused:
        raise Refused("\n".join(refused))


def _error(url: str, status: int, problem: Document | None) -> Refused | Unreachable:
    if problem is None:
        return Unreachable(f"{url} answered {status} and not like a Towpath gateway. Is the address right?")
    if status in _UNAVAILABLE:
        return Unreachable(said(problem))
    return Refused(said(problem), str(problem.get("code", "unknown")))


def _document(answer: httpx2.Response) -> Document | None:
    """Return the JSON object that was answered; none when it is none."""
    try:
        value = answer.json()
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _given(values: Mapping[str, Any]) -> Document:
    return {name: value for name, value in values.items() if value is not None}
