"""A narrator behind Triton's generate extension, as its vLLM backend serves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import orjson

from explain.narrator.exchange import Address, post
from explain.narrator.protocol import NarratorError, Prompt

MOST_TOKENS: Final = 1200


@dataclass(frozen=True, slots=True)
class TritonNarrator:
    """One model of a Triton server.

    The prompt is sent as it is: the generate extension knows no chat template.
    """

    address: Address
    name: str

    def write(self, prompt: Prompt) -> str:
        """Return the generated text.

        Raises:
            NarratorError: there is none.
        """
        answer = post(self.address, f"/v2/models/{quote(self.name, safe='')}/generate", self._body(prompt))
        text = answer.get("text_output") if isinstance(answer, dict) else None
        if not isinstance(text, str):
            raise NarratorError("its answer is not that of a generate endpoint")
        return text

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        # Each member is an input of the backend by its name; the sampling parameters are JSON inside a string.
        sampling = {"temperature": 0, "max_tokens": MOST_TOKENS}
        return {
            "text_input": f"{prompt.rules}\n\n{prompt.claims}\n\n",
            "stream": False,
            "exclude_input_in_output": True,
            "sampling_parameters": orjson.dumps(sampling).decode(),
        }
