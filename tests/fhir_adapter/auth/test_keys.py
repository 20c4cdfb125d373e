import time
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from fhir_adapter.auth.keys import Algorithm, KeysUnusable, SigningKey, add_key, make_key, public_jwks, read_keys
from fhir_adapter.auth.tokens import sign

EC, RSA = make_key("ES384"), make_key("RS384")
AUDIENCE = "https://auth.example.org/token"


def changed(key: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**key, **changes}.items() if value is not ...}


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def write(path: Path, *keys: object) -> Path:
    path.write_bytes(orjson.dumps({"keys": keys}))
    return path


def test_keys_are_read_in_the_order_of_the_file(keys_file: Path) -> None:
    """The first usable key signs, so the order is the operator's."""
    found = read_keys(write(keys_file, RSA, EC))

    assert [(key.kid, key.algorithm) for key in found] == [(RSA["kid"], "RS384"), (EC["kid"], "ES384")]


@pytest.mark.parametrize(
    "key",
    [
        changed(EC, kid=...),
        changed(EC, kid=5),
        changed(EC, d=...),
        changed(EC, use="enc"),
        changed(EC, alg="ES256"),
        changed(EC, crv="P-256"),
        changed(EC, key_ops=["verify"]),
        changed(EC, key_ops="sign"),
        changed(EC, kty="OKP"),
        changed(EC, kty="oct", k="c2VjcmV0"),
        changed(EC, x="!"),
        changed(RSA, alg="RS256"),
        changed(RSA, d=...),
        "text",
    ],
)
def test_key_that_may_not_sign_is_passed_over(keys_file: Path, key: object) -> None:
    """Public halves, keys for another use and other algorithms are no keys to sign with."""
    assert [found.kid for found in read_keys(write(keys_file, key, changed(EC, kid="good")))] == ["good"]


def test_rsa_key_that_is_too_short_is_passed_over(keys_file: Path) -> None:
    """RSA keys of fewer than 2048 bits can be broken (RFC 7518 section 3.3)."""
    short = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024), as_dict=True)

    assert [found.kid for found in read_keys(write(keys_file, {**short, "kid": "short"}, EC))] == [EC["kid"]]


@pytest.mark.parametrize("content", [None, b"{", b"[]", b"{}", b'{"keys": {}}', b'{"keys": [{"kid": "secret-7"}]}'])
def test_file_without_a_usable_key_is_said(keys_file: Path, content: bytes | None) -> None:
    """The message says what to do, and quotes nothing of the file."""
    if content is not None:
        keys_file.write_bytes(content)

    with pytest.raises(KeysUnusable, match="FHIR_CLIENTS") as caught:
        read_keys(keys_file)
    assert "secret-7" not in str(caught.value)


def test_only_public_halves_are_published(keys_file: Path) -> None:
    """What is published names every key and holds nothing that signs."""
    published = orjson.loads(public_jwks(write(keys_file, EC, RSA)))["keys"]

    assert [key["kid"] for key in published] == [EC["kid"], RSA["kid"]]
    assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & {name for key in published for name in key}


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_published_half_verifies_what_the_private_half_signs(keys_file: Path, algorithm: Algorithm) -> None:
    """A server that reads our published keys can check our signature with the key that its header names."""
    write(keys_file, make_key(algorithm))
    token = sign("mllm-cds", AUDIENCE, read_keys(keys_file)[0])
    public = jwt.PyJWKSet.from_json(public_jwks(keys_file))[jwt.get_unverified_header(token)["kid"]]

    claims = jwt.decode(token, public.key, algorithms=[algorithm], audience=AUDIENCE)
    assert (claims["iss"], claims["sub"]) == ("mllm-cds", "mllm-cds")


def test_each_assertion_is_new_and_short_lived(keys_file: Path) -> None:
    """A server refuses an assertion it has seen (jti), and one that holds for more than five minutes."""
    (key,) = read_keys(write(keys_file, EC))
    one, other = (jwt.decode(sign("c", AUDIENCE, key), options={"verify_signature": False}) for _ in range(2))

    assert one["jti"] != other["jti"]
    assert one["exp"] <= time.time() + 300


def test_key_does_not_show_itself(keys_file: Path) -> None:
    """Printed, a key shows its algorithm only."""
    (key,) = read_keys(write(keys_file, EC))

    assert repr(key) == "SigningKey(ES384)"
    assert isinstance(key, SigningKey)


def test_new_key_is_appended(keys_file: Path) -> None:
    """A key that is added stands behind those that are there, so that the servers can learn of it before it signs."""
    write(keys_file, RSA)
    add_key(keys_file, "ES384")

    assert [key.algorithm for key in read_keys(keys_file)] == ["RS384", "ES384"]


def test_new_file_of_keys_is_its_owners_alone(keys_file: Path) -> None:
    """A file that was not there is made so that nobody else can read it, and nothing is left beside it."""
    add_key(keys_file, "RS384")

    assert keys_file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in keys_file.parent.iterdir()] == [keys_file.name]


def test_file_that_is_no_key_set_is_left_as_it_is(keys_file: Path) -> None:
    """What cannot be read is not written over."""
    keys_file.write_text("x")

    with pytest.raises(KeysUnusable):
        add_key(keys_file, "ES384")
    assert keys_file.read_text() == "x"
