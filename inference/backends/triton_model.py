"""Triton's Python backend: model.onnx by ONNX Runtime, the waiting requests as one batch.

A copy of this file runs inside the server, under the server's Python and NumPy: it imports nothing of this project.
What tensors there are it reads from the graph and from config.pbtxt. Triton's own onnxruntime backend could not replace
it: it has no optional inputs, and the server on PyPI, which the tests run, comes without it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils  # type: ignore[import-not-found]

DIGEST = "model_digest"
TOKENS = "tokens"
ELEMENT = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


class TritonPythonModel:
    """One instance of the model; Triton calls it by these names."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the graph that lies beside this file."""
        config = json.loads(args["model_config"])
        parameters = {key: value["string_value"] for key, value in config["parameters"].items()}
        path = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        self.session = open_session(path, int(parameters["threads"]), args)
        # A free axis, that of the word pieces, is as short as it may be.
        self.blanks = {
            tensor.name: np.zeros([1, *(side if isinstance(side, int) else 1 for side in tensor.shape[1:])], kind)
            for tensor in self.session.get_inputs()
            for kind in [ELEMENT[tensor.type]]
        }
        self.per_piece = parameters["per_piece"].split()
        self.groups = [group.split("+") for group in parameters["given_together"].split()]
        self.digest = np.frombuffer(hashlib.sha256(path.read_bytes()).digest(), np.uint8)[None]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer all waiting requests by one run of the graph."""
        given = [{tensor.name(): tensor.as_numpy() for tensor in request.inputs()} for request in requests]
        faults = [self.fault(arrays) for arrays in given]
        sound = [index for index, fault in enumerate(faults) if fault is None]
        wanted = [request.requested_output_names() for request in requests]
        answers = iter(self.answer([given[index] for index in sound], [wanted[index] for index in sound]))
        return [next(answers) if fault is None else refuse(fault) for fault in faults]

    def answer(self, given: list[dict[str, Any]], wanted: list[list[str]]) -> list[Any]:
        """Answer sound requests."""
        if not given:
            return []
        sizes = [len(next(iter(arrays.values()))) for arrays in given]
        widths = [arrays.get(TOKENS, self.blanks[TOKENS]).shape[1] for arrays in given]
        found = self.run(given, sizes, list(dict.fromkeys(name for names in wanted for name in names)))
        ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
        return [
            pb_utils.InferenceResponse(
                [pb_utils.Tensor(name, self.own(name, found[name][end - size : end], width)) for name in names]
            )
            for names, size, end, width in zip(wanted, sizes, ends, widths, strict=True)
        ]

    def own(self, name: str, array: Any, width: int) -> Any:  # noqa: ANN401 - arrays of any kind
        """Return a request's own columns of an output: the run was as wide as the longest note in it."""
        return np.ascontiguousarray(array[:, :width]) if name in self.per_piece else array

    def fault(self, arrays: dict[str, Any]) -> str | None:
        """Say what is wrong with a request: half a modality would count as absent without anybody noticing.

        Triton itself does not look: with optional inputs in a model it only counts them.
        """
        if not arrays:
            return "give at least one modality"
        for group in self.groups:
            if 0 < sum(name in arrays for name in group) < len(group):
                return f"give all of {', '.join(group)} or none of them"
        return None

    def run(self, given: list[dict[str, Any]], sizes: list[int], names: list[str]) -> dict[str, Any]:
        """Run the graph on the patients of several requests and return the wanted tensors."""
        feed = {
            name: concatenated(
                [
                    arrays[name] if name in arrays else np.repeat(blank, size, 0)
                    for arrays, size in zip(given, sizes, strict=True)
                ]
            )
            for name, blank in self.blanks.items()
        }
        of_graph = [name for name in names if name != DIGEST]
        answers = dict(zip(of_graph, self.session.run(of_graph, feed), strict=True)) if of_graph else {}
        return {**answers, DIGEST: np.repeat(self.digest, sum(sizes), 0)}


def concatenated(arrays: list[Any]) -> Any:  # noqa: ANN401 - arrays of any kind
    """Join arrays along their first axis; where their second differs, the shorter get zeros, which are padding."""
    if arrays[0].ndim == 2:
        widest = max(array.shape[1] for array in arrays)
        arrays = [np.pad(array, ((0, 0), (0, widest - array.shape[1]))) for array in arrays]
    return np.concatenate(arrays)


def refuse(fault: str) -> Any:  # noqa: ANN401 - Triton's module has no types
    """Return the response to a request that is the client's mistake."""
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(fault, pb_utils.TritonError.INVALID_ARG))


def open_session(path: Path, threads: int, args: dict[str, str]) -> onnxruntime.InferenceSession:
    """Load the graph onto the device of this instance."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Threads that spin while they wait take the cores of the server's other instances.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers: list[Any] = ["CPUExecutionProvider"]
    if args["model_instance_kind"] == "GPU" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": args["model_instance_device_id"]}))
    return onnxruntime.InferenceSession(str(path), options, providers=providers)
