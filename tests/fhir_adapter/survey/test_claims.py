from __future__ import annotations

import base64
from datetime import UTC, datetime

import orjson
import pytest

from fhir_adapter.survey.claims import Claims, read_claims


def jwt(payload: object, header: object = None) -> str:
    """A token nobody has signed."""
    parts = [orjson.dumps({"alg": "ES384"} if header is None else header), orjson.dumps(payload), b"signature"]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b.c",
        "..",
        "é.é.é",
        jwt([]),
        jwt({}),
        jwt({"scope": "x"}, header={}),
        f"{jwt({'a': 1})}.d",
        jwt({"a": "x" * 20_000}),
    ],
)
def test_what_is_no_jwt_has_no_claims(token: str) -> None:
    """Most tokens are opaque, and a strange one is taken for opaque."""
    assert read_claims(token) is None


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"exp": "soon", "aud": 7, "scope": None}, Claims()),
        ({"exp": 1e300, "patient": ["x"]}, Claims()),
        ({"exp": True, "scp": ["a", 1, "b"]}, Claims(scope="a b")),
        ({"scope": "a  b", "aud": ["x", "y"]}, Claims(scope="a b", audience=("x", "y"))),
        ({"exp": 0, "patient": "p"}, Claims(expires_at=datetime(1970, 1, 1, tzinfo=UTC), patient_id="p")),
    ],
)
def test_claims_of_the_wrong_type_are_left_out(payload: object, expected: Claims) -> None:
    """Each claim is read in the forms that servers use, or not at all."""
    assert read_claims(jwt(payload)) == expected
