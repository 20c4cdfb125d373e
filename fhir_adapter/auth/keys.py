"""File with private keys -> the keys that may sign, and the public half to publish (RFC 7517, 7518).

To change keys without a gap: append the new key, publish `public_jwks`, and when the servers had the time to read that
(a day or more), move the new key to the front; delete the old one when no server needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import orjson

from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of

if TYPE_CHECKING:
    from jwt.algorithms import AllowedPrivateKeys

Algorithm = Literal["ES384", "RS384"]
"""What SMART asks servers to take (SMART App Launch 2.2, "Client Authentication: Asymmetric")."""
_PUBLIC: Final = ("kty", "crv", "x", "y", "n", "e", "kid")
_LEAST_RSA_BITS: Final = 2048


class KeysUnusable(ValueError):
    """The file of keys cannot be used; the message says what to do and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One private key; `kid` is the name under which the servers know its public half."""

    kid: str
    algorithm: Algorithm
    private: AllowedPrivateKeys

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm})"


def read_keys(path: Path) -> tuple[SigningKey, ...]:
    """Return the usable private keys in the order of the file.

    Usable is what has a `kid`, is an EC key on P-384 (ES384) or an RSA key of 2048 bits or more (RS384), names no other
    algorithm, and is not set aside for another use than signing.

    Raises:
        KeysUnusable: the file cannot be read or has no such key.
    """
    keys = tuple(key for content in _read(path) if (key := _signing_key(content)) is not None)
    if not keys:
        raise KeysUnusable("FHIR_CLIENTS: the file of keys has no private ES384 or RS384 key with a kid")
    return keys


def public_jwks(path: Path) -> str:
    """Return the JSON Web Key Set to publish or to register: the public half of every usable key.

    Raises:
        KeysUnusable: see `read_keys`.
    """
    usable = {key.kid: key.algorithm for key in read_keys(path)}
    keys = [
        {name: content[name] for name in _PUBLIC if name in content}
        | {"alg": usable[kid], "use": "sig", "key_ops": ["verify"]}
        for content in _read(path)
        if (kid := as_text(content.get("kid"))) in usable
    ]
    return orjson.dumps({"keys": keys}, option=orjson.OPT_INDENT_2).decode()


def make_key(algorithm: Algorithm) -> Resource:
    """Return a new private key as a JSON Web Key, named by its thumbprint (RFC 7638): secret, for the file of keys."""
    import base64  # noqa: PLC0415
    import hashlib  # noqa: PLC0415

    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415  # see _signing_key
    from jwt.algorithms import ECAlgorithm, RSAAlgorithm  # noqa: PLC0415

    if algorithm == "ES384":
        content = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()), as_dict=True)
        named = {name: content[name] for name in ("crv", "kty", "x", "y")}
    else:
        content = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 3072), as_dict=True)
        named = {name: content[name] for name in ("e", "kty", "n")}
    digest = hashlib.sha256(orjson.dumps(named, option=orjson.OPT_SORT_KEYS)).digest()
    kid = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {**content, "kid": kid, "alg": algorithm, "use": "sig", "key_ops": ["sign"]}


def add_key(path: Path, algorithm: Algorithm) -> None:
    """Append a new key to the file of keys; a file that is not there is made, readable for its owner only.

    It is replaced in one step: whoever reads it meanwhile has the old keys or all of them.

    Raises:
        KeysUnusable: what is there is no JSON Web Key Set.
        OSError: it cannot be written.
    """
    import os  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    keys = [*_read(path), make_key(algorithm)] if path.exists() else [make_key(algorithm)]
    # mkstemp makes it with mode 0600.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps({"keys": keys}, option=orjson.OPT_INDENT_2))
    Path(name).replace(path)


def _read(path: Path) -> Iterator[Resource]:
    try:
        content = orjson.loads(path.read_bytes())
    except OSError:
        raise KeysUnusable("FHIR_CLIENTS: the file of keys cannot be read: check its path and rights") from None
    except orjson.JSONDecodeError:
        raise KeysUnusable("FHIR_CLIENTS: the file of keys is not JSON: give a JSON Web Key Set") from None
    return dicts_of(as_dict(content).get("keys"))


def _signing_key(content: Mapping[str, object]) -> SigningKey | None:
    # Imported here: PyJWT and cryptography would lengthen the start of every process that has no such client.
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415
    from jwt import PyJWK  # noqa: PLC0415
    from jwt.exceptions import PyJWTError  # noqa: PLC0415

    kid, operations = as_text(content.get("kid")), content.get("key_ops", ["sign"])
    if not kid or content.get("use", "sig") != "sig" or not isinstance(operations, list) or "sign" not in operations:
        return None
    algorithm: Algorithm = "RS384" if content.get("kty") == "RSA" else "ES384"
    if content.get("alg", algorithm) != algorithm:
        return None
    try:
        private = PyJWK(dict(content), algorithm).key
    except (PyJWTError, ValueError, TypeError):
        return None
    if isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, ec.SECP384R1):
        return SigningKey(kid, algorithm, private)
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= _LEAST_RSA_BITS:
        return SigningKey(kid, algorithm, private)
    return None
