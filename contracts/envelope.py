"""The envelope of every event: CloudEvents 1.0 in structured JSON, with extensions that say whose it is."""

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, GetPydanticSchema, StringConstraints
from pydantic_core import core_schema

from contracts.ids import event_key

# Control characters, line separators and the invisible marks that make two ids look alike; the joiners U+200C and
# U+200D stay allowed, because words and emoji need them. Written so that Rust, Python and JavaScript read it alike.
_UNPRINTABLE = r"\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
PRINTABLE = rf"^[^{_UNPRINTABLE} ]([^{_UNPRINTABLE}]*[^{_UNPRINTABLE} ])?$"

IDENTIFIER_LENGTH = 128
SOURCE_LENGTH = 256

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=IDENTIFIER_LENGTH, pattern=PRINTABLE)]
"""An id given by a backend: 1 to 128 printable characters of any script; spaces may stand inside, not at an end."""

Source = Annotated[str, StringConstraints(min_length=1, max_length=SOURCE_LENGTH, pattern=PRINTABLE)]
"""Who made an event, such as `/backend/check-ins`; together with the event's id it is unique in an organisation."""

EXTENSION_VALUE_ERROR = "extension_value"
EXTENSION_LENGTH = 1024

EXTENSION_NAME = r"^[a-z0-9]{1,64}$"

ExtensionName = Annotated[str, StringConstraints(pattern=EXTENSION_NAME)]
ExtensionValue = Annotated[
    Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True, ge=-(2**31), le=2**31 - 1)]
    | Annotated[str, StringConstraints(max_length=EXTENSION_LENGTH)],
    GetPydanticSchema(
        lambda source, handler: core_schema.custom_error_schema(
            handler(source),
            EXTENSION_VALUE_ERROR,
            custom_error_message="Extension attributes are a string, a 32-bit integer or a boolean",
            custom_error_context={"max_length": EXTENSION_LENGTH},
        )
    ),
]


class EventData(BaseModel):
    """What an event says. An unknown field is an error, so that a misspelt one is named instead of lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Event(BaseModel):
    """An immutable fact.

    `time` is when it happened by the publisher's clock. `organisationid`, `projectid` and `userid` say whose it is.
    Extension attributes that are not named here are kept as they came.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    # init=False only tells type checkers that this is no parameter.
    __pydantic_extra__: dict[ExtensionName, ExtensionValue] = Field(init=False)

    specversion: Literal["1.0"] = "1.0"
    id: Identifier
    source: Source
    type: str
    time: AwareDatetime | None = None
    subject: Annotated[str, StringConstraints(min_length=1, max_length=SOURCE_LENGTH, pattern=PRINTABLE)] | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    dataversion: str = "1"
    organisationid: Identifier
    projectid: Identifier | None = None
    userid: Identifier | None = None
    data: Any

    @cached_property
    def key(self) -> str:
        """The id of the event's record: equal for two deliveries of one event, different between organisations."""
        return event_key(self.organisationid, self.source, self.id)

    def to_json(self) -> bytes:
        """Return the event as structured JSON; attributes that are not set are left out."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True)
