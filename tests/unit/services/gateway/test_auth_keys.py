"""Tokens signed by an identity provider, whose keys are read from its address."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.requests import Request

from infra.local.ports import LOOPBACK
from services.gateway.auth import Authenticator, Caller
from services.gateway.problems import KeysUnavailable, Unauthenticated
from shared.settings import GatewaySettings

SECRET = "a secret that is long enough for HS256"
RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
STRANGE_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def public_keys() -> list[dict[str, Any]]:
    rsa_key = RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True)
    ec_key = ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True)
    return [rsa_key | {"kid": "rsa", "use": "sig"}, ec_key | {"kid": "ec", "use": "sig"}]


class Provider:
    """An identity provider on loopback that serves a body and counts how often."""

    def __init__(self) -> None:
        self.body = orjson.dumps({"keys": public_keys()})
        self.asked = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(provider.body)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer((LOOPBACK, 0), Handler)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server.server_port}/keys"


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()
    thread.join()


def authenticator(provider: Provider, **settings: Any) -> Authenticator:
    return Authenticator(GatewaySettings(auth_jwks_url=provider.url, **settings))


def bearer(key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = "rsa", user: str = "ada") -> Request:
    claims = {"sub": user, "organisation": "acme", "aud": "towpath", "exp": int(time.time()) + 3_600}
    token = jwt.encode(claims, key, algorithm, headers=None if kid is None else {"kid": kid})
    return Request({"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]})


async def test_tokens_signed_by_a_key_of_the_provider_hold(provider: Provider) -> None:
    trusting = authenticator(provider)

    assert await trusting.caller(bearer()) == Caller("ada", "acme")
    assert await trusting.caller(bearer(EC_KEY, "ES256", "ec")) == Caller("ada", "acme")


async def test_the_keys_are_read_once_for_many_tokens(provider: Provider) -> None:
    trusting = authenticator(provider)

    for user in ("ada", "bob", "cid"):
        await trusting.caller(bearer(user=user))

    assert provider.asked == 1


@pytest.mark.parametrize(
    "request_",
    [
        bearer(STRANGE_KEY),
        bearer(kid="unknown"),
        bearer(kid=None),
        bearer(EC_KEY, "ES256", "rsa"),
        bearer(SECRET, "HS256"),
    ],
    ids=["another key", "an unknown key", "no key named", "a key of another kind", "a secret nobody set"],
)
async def test_other_tokens_do_not(provider: Provider, request_: Request) -> None:
    with pytest.raises(Unauthenticated):
        await authenticator(provider).caller(request_)


async def test_the_public_key_is_no_secret_to_sign_with(provider: Provider) -> None:
    both = authenticator(provider, auth_jwt_secret=SECRET)

    assert await both.caller(bearer(SECRET, "HS256")) == Caller("ada", "acme")
    modulus = public_keys()[0]["n"]
    with pytest.raises(Unauthenticated):
        await both.caller(bearer(modulus, "HS256"))


async def test_without_a_provider_its_algorithms_are_not_accepted() -> None:
    with pytest.raises(Unauthenticated, match="algorithm 'RS256' is not accepted here"):
        await Authenticator(GatewaySettings(auth_jwt_secret=SECRET)).caller(bearer())


@pytest.mark.parametrize("body", [b"<html>gone fishing</html>", b"{}", b'{"keys":[]}'])
async def test_a_provider_that_says_nothing_usable_is_no_fault_of_the_caller(provider: Provider, body: bytes) -> None:
    provider.body = body

    with pytest.raises(KeysUnavailable):
        await authenticator(provider).caller(bearer())


async def test_a_provider_that_is_away_is_no_fault_of_the_caller(provider: Provider) -> None:
    asking = authenticator(provider)
    asking._keys = jwt.PyJWKClient(f"http://{LOOPBACK}:9/keys", timeout=1)

    with pytest.raises(KeysUnavailable):
        await asking.caller(bearer())


async def test_a_key_that_the_provider_took_back_is_not_trusted_for_ever(provider: Provider) -> None:
    trusting = authenticator(provider)
    await trusting.caller(bearer())
    provider.body = orjson.dumps({"keys": public_keys()[1:]})
    assert trusting._keys is not None
    assert trusting._keys.jwk_set_cache is not None
    trusting._keys.jwk_set_cache.jwk_set_with_timestamp = None  # as after its lifespan

    with pytest.raises(Unauthenticated):
        await trusting.caller(bearer(user="bob"))
