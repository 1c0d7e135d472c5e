"""What a person can choose about the servers and services on one machine."""

from itertools import accumulate
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.local.ports import LOOPBACK, free_port
from infra.local.processes import ROOT

Port = Annotated[int, Field(ge=1, le=65_535)]
ClusterSize = Annotated[Literal[1, 3], BeforeValidator(int)]
# A member of a NATS cluster listens for its clients, for the other members, and for whoever looks at it.
NATS_PORTS: dict[int, int] = {1: 1, 3: 9}


class LocalSettings(BaseSettings):
    """Settings of `up`, read from the environment or `.env`; an empty value counts as not given."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", env_ignore_empty=True, extra="ignore", frozen=True)

    data_dir: Path = Field(
        default=Path(".towpath"), description="Folder for data and logs, from the repository's root."
    )
    runners: int = Field(default=1, ge=1, le=64, description="How many runners to start.")
    cluster: ClusterSize = Field(default=1, description="How many NATS and MongoDB servers to start: 1, or 3 of each.")
    nats_url: str | None = Field(default=None, description="NATS to use instead of starting one.")
    mongodb_url: str | None = Field(default=None, description="MongoDB replica set to use instead of starting one.")
    nats_port: Port = Field(
        default=4222, description="Port of the NATS server that is started; of a cluster, the first port."
    )
    mongodb_port: Port = Field(
        default=27017, description="Port of the MongoDB server that is started; of a cluster, the first port."
    )
    gateway_port: Port = Field(default=8080, description="Port the gateway listens on.")
    offline_model_port: Port = Field(default=8090, description="Port of the offline model.")
    openai_api_key: SecretStr | None = Field(default=None, description="Given: OpenAI is used, not the offline model.")
    openai_base_url: str | None = Field(
        default=None, description="Given: this endpoint is used, not the offline model."
    )
    auth_jwt_secret: SecretStr | None = Field(
        default=None, description="Secret of tokens; else one is kept in the data folder."
    )
    auth_audience: str = Field(default="towpath", description="The `aud` of the development token.")
    auth_issuer: str | None = Field(default=None, description="The `iss` of the development token.")

    @property
    def data_folder(self) -> Path:
        """The data folder as an absolute path."""
        return ROOT / self.data_dir

    @property
    def log_folder(self) -> Path:
        """Where every process logs to a file of its own."""
        return self.data_folder / "logs"

    @property
    def gateway_url(self) -> str:
        """Where the gateway answers."""
        return f"http://{LOOPBACK}:{self.gateway_port}"

    @property
    def offline_model_url(self) -> str | None:
        """Base URL of the offline model, or None when a real provider was given."""
        if self.openai_api_key or self.openai_base_url:
            return None
        return f"http://{LOOPBACK}:{self.offline_model_port}/v1"

    def on_free_ports(self, data_dir: Path) -> Self:
        """Return a copy that can run beside any other: every port is free, and the data folder its own."""
        counts = {
            "nats_port": NATS_PORTS[self.cluster],
            "mongodb_port": self.cluster,
            "gateway_port": 1,
            "offline_model_port": 1,
        }
        ends = list(accumulate(counts.values(), initial=free_port(sum(counts.values()))))
        return self.model_copy(update={"data_dir": data_dir, **dict(zip(counts, ends, strict=False))})
