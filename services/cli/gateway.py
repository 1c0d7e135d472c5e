"""Asks the gateway, and turns every answer that is no success into an error for a person."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2
import typer

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

    def publish(self, events: Sequence[Any]) -> tuple[Document, list[Document]]:
        """Publish a batch; return what became of the accepted ones, and the errors of those that were refused."""
        headers = {"Content-Type": "application/cloudevents-batch+json"}
        answer = self._request("POST", "/api/events", content=json.dumps(events).encode(), headers=headers)
        document = _document(answer)
        if document is not None and "events" in document:
            return document, list(document.get("errors", []))
        raise _error(self._url, answer.status_code, document)

    def poll(self, path: str, tag: str | None) -> tuple[Document | None, str | None]:
        """Return what is there with its tag, or nothing when it is still what the tag stands for."""
        answer = self._request("GET", path, headers={} if tag is None else {"If-None-Match": tag})
        if answer.status_code == httpx2.codes.NOT_MODIFIED:
            return None, tag
        document = _document(answer)
        if answer.is_success and document is not None:
            return document, answer.headers.get("ETag")
        raise _error(self._url, answer.status_code, document)

    @contextmanager
    def lines(self, path: str, params: Mapping[str, Any], last_id: str | None) -> Iterator[Iterator[str]]:
        """Yield the lines of an answer that has no end, from after what was heard last; parameters that are None are left out."""
        headers = {} if last_id is None else {"Last-Event-ID": last_id}
        try:
            with self._client.stream("GET", path, params=_given(params), headers=headers) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _error(self._url, answer.status_code, _document(answer))
                yield _lines(answer.iter_text())
        except httpx2.HTTPError as error:
            raise Unreachable(
                f"The gateway at {self._url} does not answer: {error or type(error).__name__}."
            ) from error

    def probe(self) -> Document:
        """Return whether the gateway is ready, and which of its servers are there."""
        answer = self._request("GET", "/health/ready")
        document = _document(answer)
        if document is None or "checks" not in document:
            raise _error(self._url, answer.status_code, None)
        return document

    def figures(self) -> str:
        """Return the figures of the installation, in the text format of Prometheus."""
        answer = self._request("GET", "/metrics")
        if not answer.is_success:
            raise _error(self._url, answer.status_code, _document(answer))
        return answer.text

    def _request(self, method: str, path: str, **content: Any) -> httpx2.Response:
        try:
            return self._client.request(method, path, **content)
        except httpx2.HTTPError as error:
            raise Unreachable(
                f"The gateway at {self._url} does not answer: {error or type(error).__name__}."
                " Is it running (`./taskw up`), and is --url or TOWPATH_URL right?"
            ) from error

    def _ask(self, method: str, path: str, **content: Any) -> Document:
        answer = self._request(method, path, **content)
        document = _document(answer)
        if answer.is_success and document is not None:
            return document
        raise _error(self._url, answer.status_code, document)


def gateway_in(context: typer.Context) -> Gateway:
    """Return the gateway that a command is about."""
    gateway: Gateway = context.obj()
    return gateway


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


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Yield lines that end with a line feed; what else Unicode takes for the end of a line may be inside of them."""
    begun = ""
    for text in texts:
        *whole, begun = (begun + text).split("\n")
        yield from (line.removesuffix("\r") for line in whole)


def _document(answer: httpx2.Response) -> Document | None:
    """Return the JSON object that was answered; none when it is none."""
    try:
        value = answer.json()
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _given(values: Mapping[str, Any]) -> Document:
    return {name: value for name, value in values.items() if value is not None}
