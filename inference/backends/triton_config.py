"""The contract -> a Triton model repository: config.pbtxt, model.py and model.onnx.

mllm/config.pbtxt     tensors, batching, instances
mllm/1/model.py       `triton_model.py` of this package
mllm/1/model.onnx     the graph of a checkpoint
"""

from __future__ import annotations

import shutil
import sys
from importlib.resources import files
from pathlib import Path
from typing import Final

from inference.backends.protocol import MAX_BATCH
from inference.checkpoint import Checkpoint
from inference.contract import (
    CLASSES,
    INPUT_SHAPES,
    OUTPUT_NAMES,
    PATCHES,
    PER_PIECE,
    SLOTS,
    SUBSETS,
    Tensor,
)
from inference.entities import TAGS

MODEL_NAME: Final = "mllm"
DIGEST: Final = "model_digest"
"""Output that the graph does not have: SHA-256 of the graph that answered, one row of 32 bytes for each patient."""
OUTPUT_DIMS: Final[dict[str, tuple[int, ...]]] = {
    Tensor.LOGITS: (CLASSES,),
    Tensor.SUBSET_LOGITS: (len(SUBSETS), CLASSES),
    Tensor.IMAGE_RELEVANCE: (PATCHES,),
    Tensor.TEXT_RELEVANCE: (-1,),  # as many as there are tokens
    Tensor.TEXT_EFFECT: (-1,),
    Tensor.VALUE_EFFECT: (SLOTS,),
    Tensor.IMAGE_FEATURE: (-1,),  # the width is the checkpoint's
    Tensor.ENTITY_LOGITS: (-1, TAGS),
    Tensor.IMAGE_MEMORY: (PATCHES, -1),
    Tensor.NOTE_MEMORY: (-1, -1),
}
GIVEN_TOGETHER: Final = (
    (Tensor.IMAGE, Tensor.IMAGE_PRESENT),
    (Tensor.TOKENS, Tensor.TEXT_PRESENT),
    (Tensor.VALUES, Tensor.VALUE_PRESENT, Tensor.VALUE_AGE),
)
"""The inputs of each modality. A client may leave a modality out that is absent, but only all of its inputs."""

TEMPLATE: Final = """\
# Made by inference/backends/triton_config.py from inference/contract.py: change those, then write this file again with
#     python -m inference.backends.triton_config > docker/triton/mllm/config.pbtxt
name: "{name}"
backend: "python"
max_batch_size: {max_batch}
input [
{inputs}
]
output [
{outputs}
]
dynamic_batching {{
  preferred_batch_size: [ 4, 8, 16 ]
  max_queue_delay_microseconds: {queue_delay_us}
  # Better refused than answered when nobody waits any more: a card that comes late is not shown.
  default_queue_policy {{ timeout_action: REJECT default_timeout_microseconds: 10000000 max_queue_size: 256 }}
}}
# On the GPU where there is one.
instance_group [ {{ count: 1 kind: KIND_AUTO }} ]
parameters {{ key: "given_together" value: {{ string_value: "{groups}" }} }}
# Outputs with a column for each word piece of the request.
parameters {{ key: "per_piece" value: {{ string_value: "{per_piece}" }} }}
# CPU threads of one run; more than the cores of the host slow every run down.
parameters {{ key: "threads" value: {{ string_value: "{threads}" }} }}
"""


def tensor_line(name: str, kind: str, dims: tuple[int, ...], extra: str = "") -> str:
    """Return one tensor of config.pbtxt."""
    return f'  {{ name: "{name}" data_type: {kind} dims: [ {", ".join(map(str, dims))} ]{extra} }}'


def config_pbtxt(*, queue_delay_us: int = 2000, threads: int = 1) -> str:
    """Return config.pbtxt for any checkpoint of the contract.

    Args:
        queue_delay_us: microseconds a lone request waits for others to share its run with.
        threads: CPU threads of one run.
    """
    inputs = [
        tensor_line(name, "TYPE_INT64", (-1,), " optional: true")
        if name == Tensor.TOKENS
        else tensor_line(name, "TYPE_FP32", dims, " optional: true")
        for name, dims in INPUT_SHAPES.items()
    ]
    outputs = [tensor_line(name, "TYPE_FP32", OUTPUT_DIMS[name]) for name in OUTPUT_NAMES]
    return TEMPLATE.format(
        name=MODEL_NAME,
        max_batch=MAX_BATCH,
        inputs=",\n".join(inputs),
        outputs=",\n".join([*outputs, tensor_line(DIGEST, "TYPE_UINT8", (32,))]),
        queue_delay_us=queue_delay_us,
        per_piece=" ".join(PER_PIECE),
        groups=" ".join("+".join(group) for group in GIVEN_TOGETHER),
        threads=threads,
    )


def write_repository(checkpoint: Checkpoint, folder: Path, *, queue_delay_us: int = 2000, threads: int = 1) -> Path:
    """Write the model repository that serves a checkpoint, and return the folder of its model."""
    model = folder / MODEL_NAME
    (model / "1").mkdir(parents=True, exist_ok=True)
    (model / "config.pbtxt").write_text(config_pbtxt(queue_delay_us=queue_delay_us, threads=threads))
    (model / "1" / "model.py").write_text(files(__package__).joinpath("triton_model.py").read_text())
    shutil.copyfile(checkpoint.model_path, model / "1" / "model.onnx")
    return model


if __name__ == "__main__":
    sys.stdout.write(config_pbtxt())
