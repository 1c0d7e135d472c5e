"""Every setting of the services, read from the environment or `.env`.

Each service builds its own class in its `app.py` and hands the values down; nothing else reads the environment.
"""

from base64 import urlsafe_b64decode
from enum import StrEnum
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.agents import CallMode


class LogFormat(StrEnum):
    """`console` is for people, `json` for machines."""

    CONSOLE = "console"
    JSON = "json"


class CallModeSetting(StrEnum):
    """How models are called; `auto` leaves it to what the endpoint is known to support."""

    AUTO = "auto"
    PLAIN = "plain"
    BACKGROUND = "background"


class RetrievalBackend(StrEnum):
    """What compares the vectors of documents."""

    LOCAL = "local"
    ATLAS = "atlas"


_STATUS_RETENTION = Field(
    default=3_600, ge=1, description="How long finished runs stay in the status list, and their events in RUN_EVENTS."
)


_PROPOSAL_TTL = Field(
    default=2_592_000, ge=1, description="How long a proposal waits for a decision before it expires."
)
_CREDENTIALS_KEY_BYTES = 32
_REASONING_MODEL = Field(default="gpt-5.1", description="Model of Agents of the reasoning tier.")
_FAST_MODEL = Field(default="gpt-5-mini", description="Model of Agents of the fast tier.")


class ServiceSettings(BaseSettings):
    """What every service needs."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    nats_url: str = Field(default="nats://127.0.0.1:4222", description="Comma-separated NATS servers.")
    mongodb_url: str = Field(
        default="mongodb://127.0.0.1:27017/?replicaSet=towpath",
        description="MongoDB replica set; transactions are needed.",
    )
    mongodb_database: str = Field(default="towpath", description="Database that holds everything.")
    mongodb_timeout_seconds: float = Field(default=5.0, gt=0, description="Longest wait for one MongoDB operation.")
    log_format: LogFormat = Field(default=LogFormat.CONSOLE, description="`console` for people, `json` for machines.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @property
    def nats_servers(self) -> list[str]:
        return [server.strip() for server in self.nats_url.split(",")]


class QueueSettings(ServiceSettings):
    """What deciding which queued runs may go to the runners needs."""

    ai_queue_max_concurrency: int = Field(
        default=0, ge=0, le=100_000, description="Most runs at a time over all runners; 0 leaves it to their slots."
    )
    organisation_max_open_runs: int = Field(
        default=512,
        ge=1,
        le=10_000,
        description="Most runs of one organisation that are dispatched or running; the others wait for their turn.",
    )


class StreamSettings(ServiceSettings):
    """What creating the streams needs."""

    nats_replicas: int = Field(default=1, ge=1, le=5, description="Copies of each stream; 3 on a NATS cluster.")
    event_retention_seconds: int = Field(
        default=604_800, ge=1, description="How long the stream EVENTS keeps messages; MongoDB keeps the truth."
    )
    ai_queue_status_retention_seconds: int = _STATUS_RETENTION


class ProvisionSettings(StreamSettings):
    """What creating streams, indexes and the built-in Agents needs."""

    operating_background_interval_seconds: int = Field(
        default=900, ge=1, description="Default interval of the operating pulse."
    )
    ticket_conflict_scan_hour_utc: int = Field(
        default=2, ge=0, le=23, description="Full hour of UTC at which the tickets of each project are compared."
    )


class IntegrationSettings(ServiceSettings):
    """What connections of users to other systems need."""

    open_webui_url: str = Field(
        default="", description="Open WebUI into which ended runs are mirrored for users who connect it; empty: off."
    )
    credentials_key: SecretStr = Field(
        default=SecretStr(""),
        description="Seals the API keys that users give: 32 bytes in URL-safe base64. Several with commas: the first seals.",
    )

    @property
    def credentials_keys(self) -> list[str]:
        return [key for part in self.credentials_key.get_secret_value().split(",") if (key := part.strip())]

    @field_validator("open_webui_url")
    @classmethod
    def _has_no_slash_at_its_end(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("OPEN_WEBUI_URL must begin with http:// or https://")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _seals_what_it_stores(self) -> Self:
        if self.open_webui_url and not self.credentials_keys:
            raise ValueError("set CREDENTIALS_KEY with OPEN_WEBUI_URL, keys of users are stored sealed only")
        if any(not _is_credentials_key(key) for key in self.credentials_keys):
            raise ValueError("CREDENTIALS_KEY must be 32 bytes in URL-safe base64, 44 characters each")
        return self


def _is_credentials_key(key: str) -> bool:
    try:
        return len(urlsafe_b64decode(key)) == _CREDENTIALS_KEY_BYTES
    except ValueError:
        return False


class GatewaySettings(IntegrationSettings):
    """What the gateway needs."""

    gateway_host: str = Field(default="127.0.0.1", description="Address the gateway listens on.")
    gateway_port: int = Field(default=8080, ge=0, le=65_535, description="Port the gateway listens on.")
    auth_jwt_secret: SecretStr | None = Field(
        default=None, description="Secret of HS256 tokens. This or AUTH_JWKS_URL."
    )
    auth_jwks_url: str | None = Field(default=None, description="Where the public keys of RS256 and ES256 tokens are.")
    auth_audience: str = Field(default="towpath", description="The `aud` a token must carry.")
    auth_issuer: str | None = Field(default=None, description="The `iss` a token must carry, when set.")
    gate_wait_seconds: float = Field(
        default=1.0, ge=0, le=30, description="Longest wait for the gate's answer to a publish."
    )
    max_event_bytes: int = Field(default=262_144, ge=1_024, le=900_000, description="Largest event, as JSON.")
    max_body_bytes: int = Field(default=8_388_608, ge=1_024, description="Largest request body.")
    openai_reasoning_model: str = _REASONING_MODEL
    openai_fast_model: str = _FAST_MODEL
    ai_queue_status_retention_seconds: int = _STATUS_RETENTION

    @model_validator(mode="after")
    def _some_way_to_check_tokens(self) -> Self:
        if self.auth_jwt_secret is None and self.auth_jwks_url is None:
            raise ValueError("set AUTH_JWT_SECRET or AUTH_JWKS_URL, otherwise no token can be checked")
        return self


class GatingSettings(QueueSettings):
    """What gating needs."""

    gating_batch_size: int = Field(default=512, ge=1, le=2_000, description="Most events considered in one batch.")
    session_turn_seconds: int = Field(
        default=900, ge=1, le=86_400, description="How long a chat turn without an end holds its session."
    )


class SchedulerSettings(StreamSettings, QueueSettings, IntegrationSettings):
    """What the scheduler needs."""

    open_webui_timeout_seconds: float = Field(
        default=10.0, gt=0, description="Longest wait for an answer of Open WebUI."
    )
    thread_url: str = Field(
        default="", description="Page of a run in the product, with `{run_id}` in it; mirrored chats link to it."
    )
    session_retention_seconds: int = Field(
        default=7_776_000, ge=1, description="How long sessions in which nothing happens stay, with their messages."
    )

    operating_background_enabled: bool = Field(default=True, description="False stops all periodic work.")
    leader_lease_seconds: float = Field(default=3.0, gt=0.5, description="How long a silent leader stays leader.")
    proposal_ttl_seconds: int = _PROPOSAL_TTL
    sweep_interval_seconds: float = Field(default=0.5, gt=0, description="How often lost work is looked for.")
    history_retention_seconds: int = Field(
        default=604_800, ge=1, description="How long finished runs stay in MongoDB, with their steps and events."
    )


class RunnerSettings(QueueSettings):
    """What a runner needs."""

    runner_slots: int = Field(default=64, ge=1, le=2_000, description="Runs that one runner executes at a time.")
    runner_express_slots: int = Field(
        default=8,
        ge=0,
        le=2_000,
        description="More slots, only for critical runs and the first few of an organisation, when all others are taken.",
    )
    runner_drain_seconds: float = Field(
        default=1.0, ge=0, description="How long SIGTERM lets runs finish before they are handed back."
    )
    lease_seconds: float = Field(default=6.0, gt=1, le=600, description="How long a silent runner keeps its runs.")
    heartbeat_seconds: float = Field(default=1.5, gt=0.1, description="How often a runner extends its leases.")
    proposal_ttl_seconds: int = _PROPOSAL_TTL
    openai_api_key: SecretStr = Field(default=SecretStr(""), description="Key of the model provider.")
    openai_base_url: str | None = Field(default=None, description="Any OpenAI-compatible endpoint; empty means OpenAI.")
    exa_api_key: SecretStr = Field(
        default=SecretStr(""), description="Key of Exa, for the tools `web_search` and `web_page`; none without it."
    )
    exa_base_url: str | None = Field(default=None, description="Any endpoint that speaks Exa's API; empty means Exa.")
    openai_reasoning_model: str = _REASONING_MODEL
    openai_fast_model: str = _FAST_MODEL
    openai_embedding_model: str = Field(
        default="text-embedding-3-small",
        description="Model of the vectors of documents; `none` has them found by their words only.",
    )
    openai_embedding_dimensions: int = Field(
        default=512, ge=0, le=4_096, description="Length of these vectors; 0 for models that know only one."
    )
    document_chunk_characters: int = Field(
        default=1_200, ge=200, le=8_000, description="Longest part of a document that is embedded and found by itself."
    )
    retrieval_backend: RetrievalBackend = Field(
        default=RetrievalBackend.LOCAL,
        description="What compares vectors: `local` in the runner's memory, `atlas` MongoDB Atlas Vector Search.",
    )
    retrieval_index_megabytes: int = Field(
        default=256, ge=1, description="Memory for the vectors of the projects that a runner searched last."
    )
    model_call_timeout_seconds: float = Field(default=120.0, gt=0, description="Longest wait for one model call.")
    model_call_mode: CallModeSetting = Field(
        default=CallModeSetting.AUTO,
        description="`background`, `plain`, or `auto`: background at OpenAI itself, plain at OPENAI_BASE_URL.",
    )

    job_output_characters: int = Field(
        default=4_000,
        ge=200,
        le=100_000,
        description="How much of a job's output its follow-up is shown and keeps, head and tail.",
    )
    model_requests_per_minute: int = Field(
        default=0, ge=0, description="What the provider allows of each model, over all runners; 0 when unknown."
    )
    model_tokens_per_minute: int = Field(
        default=0, ge=0, description="Input and output tokens the provider allows of each model; 0 when unknown."
    )

    @property
    def call_mode(self) -> CallMode:
        """How models are called unless an Agent or an organisation says otherwise."""
        if self.model_call_mode is CallModeSetting.AUTO:
            return CallMode.PLAIN if self.openai_base_url else CallMode.BACKGROUND
        return CallMode(self.model_call_mode)

    @model_validator(mode="after")
    def _leases_outlast_heartbeats(self) -> Self:
        if self.lease_seconds < 2 * self.heartbeat_seconds:
            raise ValueError(
                f"LEASE_SECONDS ({self.lease_seconds}) must be at least twice HEARTBEAT_SECONDS"
                f" ({self.heartbeat_seconds}), or one late heartbeat loses every run"
            )
        return self
