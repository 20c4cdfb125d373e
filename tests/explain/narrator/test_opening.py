"""Settings of a narrator."""

from typing import Any

import pytest
from pydantic import SecretStr

from explain.narrator import open_narrator
from explain.narrator.openai import OpenAiNarrator
from explain.narrator.triton import TritonNarrator


def opened(url: str | None, kind: Any = "openai", **changes: bool) -> object:
    return open_narrator(url, kind, "m", SecretStr("key"), 1.0, **changes)


@pytest.mark.parametrize("url", [None, ""])
def test_no_address_is_no_narrator(url: str | None) -> None:
    """Where no address is set the template's sentences are all there is."""
    assert opened(url) is None


@pytest.mark.parametrize(("kind", "type_"), [("openai", OpenAiNarrator), ("triton", TritonNarrator)])
def test_each_kind_has_its_interface(kind: str, type_: type) -> None:
    """The kind decides which interface is spoken."""
    assert isinstance(opened("https://llm.example.org/v1", kind), type_)


@pytest.mark.parametrize("url", ["http://localhost:8001", "http://127.0.0.1:8001/v1", "http://[::1]:8001"])
def test_this_machine_needs_no_encryption(url: str) -> None:
    """Plain http is taken to this machine."""
    assert opened(url)


@pytest.mark.parametrize("url", ["http://llm:8000/v1", "http://10.0.0.7", "http://localhost.example.org"])
def test_elsewhere_plain_http_must_be_allowed(url: str) -> None:
    """Claims are patient data: they leave this machine without encryption only where that is allowed."""
    with pytest.raises(ValueError, match="https"):
        opened(url)
    assert opened(url, allow_http=True)


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "https://", "llm.example.org", "https://u:p@x", "https://x?key=1", "https://x#f", "x\x00"],
)
def test_odd_addresses_are_refused_without_repeating_them(url: str) -> None:
    """An address that is none, or carries a secret, is refused by a message that does not hold it."""
    with pytest.raises(ValueError, match="address") as caught:
        opened(url, allow_http=True)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize(("kind", "model", "timeout"), [("grpc", "m", 1.0), ("openai", "", 1.0), ("openai", "m", 0.0)])
def test_impossible_settings_are_refused(kind: Any, model: str, timeout: float) -> None:
    """A kind that is not known, no model and no time are mistakes of the operator."""
    with pytest.raises(ValueError, match="needs a kind"):
        open_narrator("https://x", kind, model, None, timeout)
