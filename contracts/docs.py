"""What happens to documents."""

from typing import Literal

from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Number, Text, Title


class DocData(EventData):
    """One revision of a document; `edited_by` is the user who made it."""

    doc_id: Identifier
    title: Title
    text: Text
    revision: Number
    edited_by: Identifier | None = None


class DocUpdatedData(DocData):
    """A later revision; `previous_text` is the text that it replaced, when the backend still has it."""

    previous_text: Text | None = None


class DocArchivedData(DocData):
    """The last revision of a document that left use; its text may be left out."""

    text: Text = ""


class DocCreated(Event):
    """A document was created in a project."""

    type: Literal["doc.created"] = "doc.created"
    dataversion: Literal["1"] = "1"
    projectid: Identifier
    data: DocData


class DocUpdated(Event):
    """The text or the title of a document was changed."""

    type: Literal["doc.updated"] = "doc.updated"
    dataversion: Literal["1"] = "1"
    projectid: Identifier
    data: DocUpdatedData


class DocArchived(Event):
    """A document was archived."""

    type: Literal["doc.archived"] = "doc.archived"
    dataversion: Literal["1"] = "1"
    projectid: Identifier
    data: DocArchivedData


class DocExtractRequested(Event):
    """Somebody asked to have a document read for memory now."""

    type: Literal["doc.extract_requested"] = "doc.extract_requested"
    dataversion: Literal["1"] = "1"
    projectid: Identifier
    data: DocData
