"""What the processes of the stack find in their environment."""

from collections.abc import Mapping

from infra.local.ports import LOOPBACK
from infra.local.settings import LocalSettings

OFFLINE_KEY = "offline"


def service_environment(
    inherited: Mapping[str, str], settings: LocalSettings, nats_url: str, mongodb_url: str
) -> dict[str, str]:
    """Return the environment of every part: the inherited one, pointed at this machine's servers."""
    environment = dict(inherited) | {"NATS_URL": nats_url, "MONGODB_URL": mongodb_url, "LOG_FORMAT": "json"}
    environment |= {"PYTHONUNBUFFERED": "1"}
    if settings.cluster > 1 and settings.nats_url is None:
        environment["NATS_REPLICAS"] = str(settings.cluster)
    if settings.offline_model_url is not None:
        environment |= {"OPENAI_BASE_URL": settings.offline_model_url, "OPENAI_API_KEY": OFFLINE_KEY}
    return environment


def gateway_environment(settings: LocalSettings, secret: str) -> dict[str, str]:
    """Return what only the gateway is told: where it listens and which secret signs tokens."""
    return {"GATEWAY_HOST": LOOPBACK, "GATEWAY_PORT": str(settings.gateway_port), "AUTH_JWT_SECRET": secret}
