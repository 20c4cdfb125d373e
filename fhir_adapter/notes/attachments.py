"""Attachment -> its bytes and content type, checked against the size and hash that it states (R4 Attachment)."""

from __future__ import annotations

from fhir_adapter.attachments import CHANGED, decode_base64, is_whole
from fhir_adapter.deadline import Deadline
from fhir_adapter.media_types import media_type
from fhir_adapter.notes.forms import LARGEST, UNKNOWN
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.shape import Resource, as_text


async def load(
    attachment: Resource, client: FhirClient | None, deadline: Deadline, *, patient_id: str = ""
) -> tuple[bytes, str]:
    """Return the bytes of an attachment, `data` or else what `url` points to, and their content type.

    Raises:
        ValueError: nothing readable is there, or not what was put there; the message is for the clinician.
        FhirError: fetching it failed; see `FhirClient.fetch_binary`.
    """
    stated, data = as_text(attachment.get("contentType")), as_text(attachment.get("data"))
    if data:
        if len(data) > 2 * LARGEST:
            raise ValueError("it is too long")
        content = decode_base64(data)
    elif as_text(attachment.get("url")) and client is not None:
        content, served = await client.fetch_binary(as_text(attachment.get("url")), deadline, patient_id=patient_id)
        stated = _content_type(stated, served)
    else:
        raise ValueError("it has no content")
    if not is_whole(content, attachment):
        raise ValueError(CHANGED)
    return content, stated


def _content_type(stated: str, served: str) -> str:
    """Return the better of two content types.

    Raises:
        ValueError: they contradict each other. A log-in page in place of the note would be read as the note.
    """
    if media_type(stated) in UNKNOWN:
        return served
    if media_type(served) not in (media_type(stated), *UNKNOWN):
        raise ValueError("the server sent another kind of content than the reference names")
    # The server knows the character set, the reference often does not.
    return served if media_type(served) == media_type(stated) and "charset" in served.lower() else stated
