"""Settings -> a narrator, or none."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from explain.narrator.exchange import Address, checked_url
from explain.narrator.openai import OpenAiNarrator
from explain.narrator.protocol import Narrator
from explain.narrator.triton import TritonNarrator


def open_narrator(
    url: str | None,
    kind: Literal["openai", "triton"],
    model: str,
    key: SecretStr | None,
    timeout_s: float,
    *,
    allow_http: bool = False,
) -> Narrator | None:
    """Return the narrator at an address; None where there is no address.

    Args:
        url: base address, `https://llm.example.org/v1`.
        kind: which interface it has.
        model: its name there.
        key: bearer token.
        timeout_s: for one whole answer.
        allow_http: whether claims, which are patient data, may leave this machine without encryption.

    Raises:
        ValueError: the address may not be sent patient data, or the kind is not known.
    """
    if not url:
        return None
    if kind not in ("openai", "triton") or not model or timeout_s <= 0:
        raise ValueError("a narrator needs a kind (openai or triton), a model's name and a time limit above 0")
    address = Address(checked_url(url, allow_http=allow_http), key, timeout_s)
    return OpenAiNarrator(address, model) if kind == "openai" else TritonNarrator(address, model)
