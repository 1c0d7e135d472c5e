"""Who calls, from a verified token. Everything a route reads or writes is filtered by what is in it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jwt
from fastapi import Request
from jwt import PyJWK, PyJWKClient

from services.gateway.problems import Forbidden, KeysUnavailable, Unauthenticated
from shared.settings import GatewaySettings

_REMEMBERED = 4_096
_JWKS_TIMEOUT_SECONDS = 5


class Role(StrEnum):
    """What a token may say its bearer is; without any, the bearer is a plain user."""

    BACKEND = "backend"
    ORGANISATION_ADMIN = "organisation_admin"
    PROJECT_ADMIN = "project_admin"
    SERVER_ADMIN = "server_admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """The bearer of a verified token."""

    user: str
    organisation: str
    roles: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()

    @property
    def sees_organisation(self) -> bool:
        """Whether this caller may see and decide what belongs to others of its organisation."""
        return not self.roles.isdisjoint({Role.BACKEND, Role.ORGANISATION_ADMIN, Role.SERVER_ADMIN})

    def sees(self, document: Mapping[str, Any]) -> bool:
        """Return whether a stored thing, which says its organisation and its user, is this caller's to see."""
        is_ours = bool(document["organisation"] == self.organisation)
        return is_ours and (self.sees_organisation or bool(document["user"] == self.user))

    def administers(self, project: str | None) -> bool:
        return self.sees_organisation or (Role.PROJECT_ADMIN in self.roles and project in self.projects)

    def on_behalf_of(self, user: str | None) -> str:
        """Return the user whose things are meant, or raise Forbidden when they are not this caller's to see."""
        if user is None or user == self.user:
            return self.user
        if not self.sees_organisation:
            raise Forbidden(f"You are '{self.user}'; only a backend or an admin may ask for user '{user}'.")
        return user

    def whose(self, user: str | None, *, all_users: bool) -> dict[str, str]:
        """Return the query for the things of one user, or of everybody in the organisation; raises Forbidden."""
        if not all_users:
            return {"organisation": self.organisation, "user": self.on_behalf_of(user)}
        if not self.sees_organisation:
            raise Forbidden("Only a backend or an admin may ask for the things of all users.")
        return {"organisation": self.organisation}


class Authenticator:
    """Verifies tokens; a token that was verified is remembered until it expires."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._secret = None if settings.auth_jwt_secret is None else settings.auth_jwt_secret.get_secret_value()
        self._keys = (
            None
            if settings.auth_jwks_url is None
            else PyJWKClient(settings.auth_jwks_url, timeout=_JWKS_TIMEOUT_SECONDS)
        )
        self._audience = settings.auth_audience
        self._issuer = settings.auth_issuer
        self._verified: dict[str, tuple[float, Caller]] = {}

    async def caller(self, request: Request) -> Caller:
        """Return who sent the request, or raise Unauthenticated."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("Send a token in the header 'Authorization: Bearer <token>'.")
        known = self._verified.get(token)
        if known is not None and known[0] > time.time():
            return known[1]
        return await self._verify(token)

    async def _verify(self, token: str) -> Caller:
        try:
            claims = await self._claims(token)
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"The token does not hold: {error}.") from error
        caller = _caller_of(claims)
        if len(self._verified) >= _REMEMBERED:
            self._verified.clear()
        self._verified[token] = (float(claims["exp"]), caller)
        return caller

    async def _claims(self, token: str) -> dict[str, Any]:
        algorithm = jwt.get_unverified_header(token).get("alg", "")
        key: str | PyJWK
        if algorithm == "HS256" and self._secret is not None:
            key = self._secret
        elif algorithm in ("RS256", "ES256") and self._keys is not None:  # a tuple, because a header may hold anything
            key = await asyncio.to_thread(_public_key, self._keys, token)
        else:
            raise jwt.InvalidAlgorithmError(f"algorithm '{algorithm}' is not accepted here")
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=self._audience,
            issuer=self._issuer,
            options={"require": ["exp", "sub", "aud"]},
        )
        return claims


def _public_key(keys: PyJWKClient, token: str) -> PyJWK:
    try:
        return keys.get_signing_key_from_jwt(token)
    except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError, ValueError) as error:
        raise KeysUnavailable("The keys that tokens are signed with cannot be read (AUTH_JWKS_URL).") from error


def _caller_of(claims: dict[str, Any]) -> Caller:
    organisation, user = claims.get("organisation"), claims["sub"]
    if not (isinstance(organisation, str) and organisation and user):
        raise Unauthenticated("The token must carry the claims 'sub' and 'organisation'.")
    return Caller(user, organisation, _texts(claims, "roles"), _texts(claims, "projects"))


def _texts(claims: dict[str, Any], name: str) -> frozenset[str]:
    values = claims.get(name, [])
    if not (isinstance(values, list) and all(isinstance(value, str) for value in values)):
        raise Unauthenticated(f"The claim '{name}' must be a list of texts.")
    return frozenset(values)
