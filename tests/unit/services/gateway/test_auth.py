"""Tokens: only one that is signed, meant for us, still valid and complete says who calls."""

import base64
import itertools
import time
from typing import Any

import jwt
import orjson
import pytest
from starlette.requests import Request

from services.gateway.auth import Authenticator, Caller, Role
from services.gateway.problems import Forbidden, Unauthenticated
from shared.settings import GatewaySettings

SECRET = "a secret that is long enough for HS256"
IN_AN_HOUR = int(time.time()) + 3_600


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good token; a change to `...` leaves one out."""
    good = {"sub": "ada", "organisation": "acme", "aud": "towpath", "exp": IN_AN_HOUR}
    return {name: value for name, value in (good | changes).items() if value is not ...}


def token(**changes: Any) -> str:
    return jwt.encode(claims(**changes), SECRET, "HS256")


def unsigned(header: object, payload: object) -> str:
    parts = [base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in (header, payload)]
    return ".".join([*parts, "AAAA"])


def request(authorization: str | None) -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    return Request({"type": "http", "headers": headers})


def authenticator(**settings: Any) -> Authenticator:
    return Authenticator(GatewaySettings(auth_jwt_secret=SECRET, **settings))


async def caller_of(token: str, **settings: Any) -> Caller:
    return await authenticator(**settings).caller(request(f"Bearer {token}"))


async def test_a_good_token_says_who_calls() -> None:
    caller = await caller_of(token(roles=["backend"], projects=["apollo"]))

    assert caller == Caller("ada", "acme", frozenset({"backend"}), frozenset({"apollo"}))


async def test_a_token_without_roles_is_a_plain_users() -> None:
    assert await caller_of(token()) == Caller("ada", "acme")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_may_be_written_in_any_case(scheme: str) -> None:
    assert (await authenticator().caller(request(f"{scheme} {token()}"))).user == "ada"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "a.b.c"])
async def test_a_request_without_a_bearer_token_is_told_how_to_send_one(authorization: str | None) -> None:
    with pytest.raises(Unauthenticated, match="Authorization: Bearer <token>"):
        await authenticator().caller(request(authorization))


@pytest.mark.parametrize(
    "bad",
    [
        token(exp=int(time.time()) - 10),
        token(aud="somebody-else"),
        token(nbf=IN_AN_HOUR),
        token(exp=...),
        token(aud=...),
        token(sub=...),
        token(organisation=...),
        token(sub=""),
        token(organisation=""),
        token(organisation=7),
        token(roles="backend"),
        token(roles=[1]),
        token(projects={"apollo": True}),
        jwt.encode(claims(), "another secret that is long enough", "HS256"),
        jwt.encode(claims(), SECRET + " and longer, so that HS512 may use it too", "HS512"),
        jwt.encode(claims(), "", "none"),
        "garbage",
        "a.b.c",
        "",
        unsigned({"alg": "RS256", "kid": "1"}, claims()),
        unsigned({"alg": "HS256"}, claims()),
        unsigned({"alg": ["HS256"]}, claims()),
        unsigned({"alg": {"name": "RS256"}}, claims()),
        unsigned({"alg": None}, claims()),
        unsigned({"typ": "JWT"}, claims()),
        unsigned([], claims()),
        unsigned({"alg": "HS256"}, []),
    ],
    ids=itertools.count(),  # the tokens hold the time, and would differ from process to process
)
async def test_any_other_token_is_refused(bad: str) -> None:
    with pytest.raises(Unauthenticated):
        await caller_of(bad)


async def test_a_refusal_does_not_repeat_the_token() -> None:
    expired = token(exp=1)

    with pytest.raises(Unauthenticated) as raised:
        await caller_of(expired)

    assert "expired" in raised.value.message.lower()
    assert expired not in raised.value.message
    assert SECRET not in raised.value.message


@pytest.mark.parametrize(
    ("issuer", "is_good"), [("https://id.example", True), ("https://evil.example", False), (..., False)]
)
async def test_the_issuer_must_be_the_one_that_is_set(issuer: object, is_good: bool) -> None:
    trusting = authenticator(auth_issuer="https://id.example")
    bearer = request(f"Bearer {token(iss=issuer)}")

    if is_good:
        assert (await trusting.caller(bearer)).user == "ada"
    else:
        with pytest.raises(Unauthenticated):
            await trusting.caller(bearer)


async def test_the_audience_may_be_another_one() -> None:
    assert (await caller_of(token(aud=["x", "staging"]), auth_audience="staging")).user == "ada"


@pytest.mark.parametrize("kind", [int, float, str])
async def test_a_token_that_was_verified_is_known_again(kind: type) -> None:
    remembering = authenticator()
    bearer = request(f"Bearer {token(exp=kind(IN_AN_HOUR))}")

    assert await remembering.caller(bearer) is await remembering.caller(bearer)


async def test_a_token_that_was_verified_is_known_until_it_expires_and_no_longer() -> None:
    remembering = authenticator()
    known = token()
    await remembering.caller(request(f"Bearer {known}"))
    remembering._verified[known] = (time.time() - 1, remembering._verified[known][1])

    again = await remembering.caller(request(f"Bearer {known}"))

    assert again == Caller("ada", "acme")
    assert remembering._verified[known][0] == IN_AN_HOUR


@pytest.mark.parametrize(
    ("roles", "sees"),
    [
        ({Role.BACKEND}, True),
        ({Role.ORGANISATION_ADMIN}, True),
        ({Role.SERVER_ADMIN}, True),
        ({Role.PROJECT_ADMIN}, False),
        ({"owner"}, False),
        (set(), False),
    ],
)
def test_roles_say_whether_others_things_are_seen(roles: set[str], sees: bool) -> None:
    caller = Caller("ada", "acme", frozenset(roles), frozenset({"apollo"}))

    assert caller.sees_organisation is sees
    assert caller.administers("gemini") is sees
    assert caller.administers("apollo") is (sees or Role.PROJECT_ADMIN in roles)
    assert caller.administers(None) is sees


def test_a_plain_user_acts_for_itself_alone() -> None:
    ada = Caller("ada", "acme")

    assert ada.on_behalf_of(None) == ada.on_behalf_of("ada") == "ada"
    with pytest.raises(Forbidden, match="You are 'ada'"):
        ada.on_behalf_of("bob")
    assert Caller("ada", "acme", frozenset({Role.BACKEND})).on_behalf_of("bob") == "bob"
