"""A narrator behind any OpenAI-compatible `/v1/chat/completions`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from explain.narrator.exchange import Address, post
from explain.narrator.protocol import NarratorError, Prompt

MOST_TOKENS: Final = 1200


@dataclass(frozen=True, slots=True)
class OpenAiNarrator:
    """Chat completions of one model."""

    address: Address
    name: str

    def write(self, prompt: Prompt) -> str:
        """Return the content of the first choice.

        Raises:
            NarratorError: there is none.
        """
        base = "" if self.address.url.endswith("/v1") else "/v1"
        answer = post(self.address, f"{base}/chat/completions", self._body(prompt))
        try:
            content = answer["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            content = None
        if not isinstance(content, str):
            raise NarratorError("its answer is no chat completion")
        return content

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        return {
            "model": self.name,
            "messages": [{"role": "system", "content": prompt.rules}, {"role": "user", "content": prompt.claims}],
            "temperature": 0,
            "max_tokens": MOST_TOKENS,
            "stream": False,
        }
