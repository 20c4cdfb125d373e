import base64
import hashlib

import pytest

from fhir_adapter.attachments import is_whole
from tests.fhir_adapter.builders import Json

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
        {"size": "9" * 5000},
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
def test_changed_content_does_not_pass(stated: Json) -> None:
    """One byte more or less, or another hash, is another content."""
    assert not is_whole(TEXT, stated)
