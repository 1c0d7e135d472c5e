"""A gateway in the test's own process, without NATS, and those who ask it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from fastapi import FastAPI

from infra.local.tokens import mint
from services.gateway.app import create_app
from services.gateway.state import Gateway
from shared.settings import GatewaySettings

SECRET = "s" * 32


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody with a token, and the gateway that is asked."""

    app: FastAPI

    @property
    def gateway(self) -> Gateway:
        gateway: Gateway = self.app.state.gateway
        return gateway

    async def ask(
        self,
        method: str,
        path: str,
        *roles: str,
        organisation: str = "acme",
        json: Any = None,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        """Send one request as a user with these roles."""
        token = mint(SECRET, organisation, "olga", roles)
        transport = httpx2.ASGITransport(app=self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            sent = {"Authorization": f"Bearer {token}", **(headers or {})}
            return await client.request(method, path, headers=sent, json=json, params=params)


@asynccontextmanager
async def a_gateway(mongodb_url: str, database: str, **changes: str) -> AsyncIterator[Asking]:
    """Yield a gateway on this database, with other settings."""
    needed = {"mongodb_url": mongodb_url, "mongodb_database": database, "auth_jwt_secret": SECRET}
    settings = GatewaySettings.model_validate(needed | changes)
    asking = Asking(create_app(settings))
    yield asking
    asking.gateway.mongo.close()
