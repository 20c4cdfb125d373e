"""Secret key -> sealed payloads, keyed hashes and unguessable tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cds_hooks.settings import ServiceSettings

TOKEN_BYTES: Final = 24
"""Randomness of a page token: 192 bits."""


class SealBroken(Exception):
    """A stored payload was sealed with another key, or was changed."""


class Vault:
    """Seals what is stored, and turns identifiers into marks that nobody without the key can undo."""

    def __init__(self, secret: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(_derive(secret, b"payloads")))
        self._mark_key = _derive(secret, b"marks")

    def seal(self, payload: bytes) -> bytes:
        """Encrypt and sign (Fernet: AES-128-CBC, HMAC-SHA256)."""
        return self._fernet.encrypt(payload)

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            SealBroken: the key is another one or the bytes were changed.
        """
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise SealBroken(
                "a stored payload cannot be read: web and worker need the CDS_SECRET_KEY it was written with"
            ) from None

    def mark(self, *parts: str) -> str:
        """Return a keyed hash (HMAC-SHA256, 64 hexadecimal digits), equal for equal parts."""
        # Length prefixes, or ("ab", "c") and ("a", "bc") would be one patient.
        message = b"".join(len(data).to_bytes(4, "big") + data for data in (part.encode() for part in parts))
        return hmac.new(self._mark_key, message, hashlib.sha256).hexdigest()


def _derive(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"mllm-cds " + purpose).derive(secret.encode())


def new_token() -> str:
    """Return a fresh page token: URL-safe, unguessable, and known in clear only to whom it is given."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def open_vault(settings: ServiceSettings) -> Vault:
    """Return the vault of the set key, or of one that is generated into the state directory and kept there."""
    if settings.secret_key is not None:
        return Vault(settings.secret_key.get_secret_value())
    if settings.database == "sqlite://":
        return Vault(secrets.token_urlsafe(32))  # What it seals is gone with the process; so may the key be.
    return Vault(_kept_key(settings.state_dir))


def _kept_key(folder: Path) -> str:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "secret-key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        key = secrets.token_urlsafe(32)
        file.write(key + "\n")
    return key
