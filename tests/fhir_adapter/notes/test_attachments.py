import base64

import pytest

from fhir_adapter.notes.attachments import load
from tests.fhir_adapter.builders import FakeFhir, Json, answer, attachment, client_of, soon

TEXT = b"Cough since Monday."


@pytest.mark.parametrize(
    "stated", [{"size": 5}, {"size": "20"}, {"hash": base64.b64encode(b"x" * 20).decode()}, {"hash": "ab" * 20}]
)
async def test_changed_content_is_refused(stated: Json) -> None:
    """Content that is not what was put there is not read."""
    with pytest.raises(ValueError, match="it was changed or cut on the way"):
        await load(attachment(**stated), None, soon())


async def test_content_on_the_server_is_checked_too() -> None:
    """A note that was cut in a Binary is noticed by its size."""
    server = FakeFhir({"Binary/n1": answer(TEXT[:5], content_type="text/plain")})
    stated = {"contentType": "text/plain", "url": "Binary/n1", "size": len(TEXT)}

    with pytest.raises(ValueError, match="it was changed or cut"):
        await load(stated, client_of(server), soon())


@pytest.mark.parametrize(
    ("stated", "served", "used"),
    [
        ("text/plain; charset=latin-1", "text/plain", "text/plain; charset=latin-1"),
        ("text/plain", "text/plain; charset=latin-1", "text/plain; charset=latin-1"),
        ("", "text/html", "text/html"),
        ("text/html", "application/octet-stream", "text/html"),
    ],
)
async def test_the_fuller_content_type_is_used(stated: str, served: str, used: str) -> None:
    """What says more of a content, the reference or the server, is believed; a type that says nothing is not."""
    client = client_of(FakeFhir({"Binary/n1": answer(TEXT, content_type=served)}))

    assert await load({"contentType": stated, "url": "Binary/n1"}, client, soon()) == (TEXT, used)
