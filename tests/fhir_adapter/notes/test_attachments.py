import base64
import hashlib

import pytest

from fhir_adapter.notes.attachments import is_whole, load
from tests.fhir_adapter.builders import FakeFhir, Json, answer, attachment, client_of, soon

TEXT = b"Cough since Monday."
SHA1 = hashlib.sha1(TEXT)
B64 = base64.b64encode(SHA1.digest()).decode()


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"size": len(TEXT)},
        {"size": str(len(TEXT))},
        {"size": "many", "hash": 5},
        {"hash": B64},
        {"hash": SHA1.hexdigest().upper()},
        {"hash": base64.b64encode(SHA1.hexdigest().encode()).decode()},
        {"hash": base64.b64encode(hashlib.sha256(TEXT).digest()).decode()},
        {"hash": "not a hash"},
    ],
)
def test_whole_content_passes(stated: Json) -> None:
    """Size (a numeral in R5) and hash in any form that servers write are accepted where they fit."""
    assert is_whole(TEXT, stated)


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
