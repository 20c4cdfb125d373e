#!/usr/bin/env python3
"""Ask the model of a Triton server about nobody: exit 0 when it answers, 1 when it does not.

    canary.py http://127.0.0.1:8000 [PID]

Triton calls itself ready although the process of its Python model has died, and never starts it again. This is the
health check of the container: it asks for a real answer. With PID, a server whose model has died is told to end, so
that the container runtime starts it anew; a server that is only slow is left alone. Standard library only.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import urllib.error
import urllib.request
from typing import Any

TIMEOUT_S = 5
MODEL_FAILED = 500


def blank_request(model: dict[str, Any]) -> bytes:
    """Return an inference request with a zero for every number the model takes."""
    # A free axis, that of the word pieces, is asked with one.
    shapes = {tensor["name"]: [1, *(max(side, 1) for side in tensor["shape"][1:])] for tensor in model["inputs"]}
    inputs = [
        {**tensor, "shape": shapes[tensor["name"]], "data": [0] * math.prod(shapes[tensor["name"]])}
        for tensor in model["inputs"]
    ]
    return json.dumps({"inputs": inputs, "outputs": [{"name": "logits"}]}).encode()


def ask(url: str) -> None:
    """Ask the model; no error means that it answers.

    Raises:
        OSError: it does not; an HTTPError where the server itself is there.
    """
    with urllib.request.urlopen(f"{url}/v2/models/mllm", timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own server
        request = blank_request(json.load(answer))
    with urllib.request.urlopen(f"{url}/v2/models/mllm/infer", request, timeout=TIMEOUT_S):  # noqa: S310
        pass


def main(arguments: list[str]) -> int:
    """Return the exit status."""
    try:
        ask(arguments[0])
    except urllib.error.HTTPError as error:
        if error.code == MODEL_FAILED and len(arguments) > 1:
            os.kill(int(arguments[1]), signal.SIGTERM)
        return 1
    except OSError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
