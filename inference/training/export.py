"""A trained M-LLM -> one ONNX graph that answers and explains.

The backward pass through the fusion is exported into the graph. The API that does it is experimental: torch is pinned
for exporting, and the golden test holds the graph against PyTorch's autograd.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export
from torch.export.experimental import _export_forward_backward
from torch.export.graph_signature import InputKind, OutputKind

from inference.contract import INPUT_SHAPES, OUTPUT_NAMES, TEXT_TOKENS
from inference.model.fusion import CrossAttentionFusion, Deltas, FusionOutput
from inference.model.mllm import Batch, MultimodalModel
from inference.model.relevance import Gradients, explain_answer, score_answer, zero_deltas
from inference.training.shrink import shrink

EXAMPLES: Final = 2  # an example batch of 1 would be taken for a constant
OPSET: Final = 20
FUSION_INPUTS: Final = 3
"""Inputs of `Score` before the deltas."""


class Score(nn.Module):
    """The fusion as the joint export wants it: the score first, then everything else that is needed."""

    def __init__(self, fusion: CrossAttentionFusion) -> None:
        super().__init__()
        self.fusion = fusion

    def forward(self, queries: Tensor, image: Tensor, bias: Tensor, *deltas: Tensor) -> tuple[Tensor, ...]:
        """Return the score (), logits (B, classes) and every map, from the fusion's inputs and zero deltas."""
        blocks = len(self.fusion.blocks)
        output = self.fusion(queries, image, bias, Deltas(deltas[:blocks], deltas[blocks:]))
        maps = [attention.detach() for attention in (*output.self_maps, *output.cross_maps)]
        return (score_answer(output.logits), output.logits.detach(), *maps)


class ForwardBackward(nn.Module):
    """The joint graph of score and gradients as an ordinary module, its parameters lifted into buffers."""

    def __init__(self, joint: ExportedProgram) -> None:
        super().__init__()
        self.graph = joint.graph_module
        self.buffers_in_order: list[str] = []
        values: dict[str, Any] = {**joint.state_dict, **joint.constants}
        for number, spec in enumerate(joint.graph_signature.input_specs):
            if spec.kind is not InputKind.USER_INPUT:
                name = f"lifted_{number}"
                self.register_buffer(name, values[str(spec.target)].detach().clone())
                self.buffers_in_order.append(name)
        kinds = [spec.kind for spec in joint.graph_signature.output_specs]
        self.user = [place for place, kind in enumerate(kinds) if kind is OutputKind.USER_OUTPUT]
        self.gradients = [place for place, kind in enumerate(kinds) if kind is OutputKind.GRADIENT_TO_USER_INPUT]

    def forward(self, *inputs: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return the user outputs (logits, maps) and the gradients to the deltas, in the order of the deltas."""
        outputs = self.graph(*[getattr(self, name) for name in self.buffers_in_order], *inputs)
        return [outputs[place] for place in self.user], [outputs[place] for place in self.gradients]


class AnsweringGraph(nn.Module):
    """What is exported: named inputs in the order of `INPUT_SHAPES`, outputs in the order of `OUTPUT_NAMES`."""

    def __init__(self, model: MultimodalModel, joint: ForwardBackward) -> None:
        super().__init__()
        self.model, self.joint = model, joint

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Answer and explain a batch."""
        batch = Batch(*inputs)
        encoded = self.model.encode(batch)
        queries = self.model.fusion.join(encoded.text, encoded.structured)
        deltas = zero_deltas(queries, encoded.image, self.model.fusion)
        user, slopes = self.joint(queries, encoded.image, encoded.bias, *deltas.self_maps, *deltas.cross_maps)
        blocks = len(self.model.fusion.blocks)
        output = FusionOutput(user[-1 - 2 * blocks], tuple(user[-2 * blocks : -blocks]), tuple(user[-blocks:]))
        gradients: Gradients = (slopes[:blocks], slopes[blocks:])
        return explain_answer(self.model, batch, encoded, (output, gradients)).in_order()


def example_inputs(batch: int) -> dict[str, Tensor]:
    """Make a batch of plausible shapes and kinds, every modality present."""
    shapes = {name: (batch, *shape) for name, shape in INPUT_SHAPES.items()}
    made = {name: torch.rand(shape) for name, shape in shapes.items()}
    made |= {name: torch.ones(shapes[name]) for name in shapes if name.endswith("present")}
    made["tokens"] = torch.randint(5, 50, shapes["tokens"])
    return made


def trace_backward(model: MultimodalModel) -> ForwardBackward:
    """Export the fusion's forward and backward pass; the number of patients and of queries stays free."""
    with torch.no_grad():
        encoded = model.encode(Batch(**example_inputs(EXAMPLES)))
        queries = model.fusion.join(encoded.text, encoded.structured)
    deltas = zero_deltas(queries, encoded.image, model.fusion)
    flat = [delta.requires_grad_() for delta in (*deltas.self_maps, *deltas.cross_maps)]
    rows, asked = Dim("rows", min=1, max=8192), Dim("asked", min=1, max=8192)
    inputs = (queries, encoded.image, encoded.bias)
    all_but_last = len(deltas.self_maps) - 1
    self_shapes = [{0: rows, 2: asked, 3: asked}] * all_but_last + [{0: rows, 3: asked}]
    cross_shapes = [{0: rows, 2: asked}] * all_but_last + [{0: rows}]
    shapes = ({0: rows, 1: asked}, {0: rows}, {0: rows, 3: asked}, tuple(self_shapes + cross_shapes))
    program = export(Score(model.fusion), (*inputs, *flat), dynamic_shapes=shapes, strict=False)
    joint = _export_forward_backward(program)
    drop_deltas(joint)
    return ForwardBackward(joint)


def drop_deltas(joint: ExportedProgram) -> None:
    """Take the sums with the zero deltas out of a joint graph: their gradients are in it, they have no other use."""
    graph = joint.graph_module.graph
    users = [spec for spec in joint.graph_signature.input_specs if spec.kind is InputKind.USER_INPUT]
    names = {spec.arg.name for spec in users[FUSION_INPUTS:]}
    for node in [node for node in graph.nodes if node.name in names]:
        for total in [user for user in node.users if user.target is torch.ops.aten.add.Tensor]:
            kept = next(term for term in total.args if term is not node)
            total.replace_all_uses_with(kept)
            graph.erase_node(total)
    joint.graph_module.recompile()


def export_onnx(model: MultimodalModel, path: Path) -> None:
    """Write the graph of a model to `path`.

    The batch axis of every input and output stays free, and the number of word pieces: shorter notes are quicker.
    """
    model = model.eval().requires_grad_(requires_grad=False)
    graph = AnsweringGraph(model, trace_backward(model)).eval()
    example: Mapping[str, Tensor] = example_inputs(EXAMPLES)
    patients = Dim("patients", min=1, max=1024)
    pieces = Dim("pieces", min=1, max=TEXT_TOKENS)
    shapes = {name: {0: patients, 1: pieces} if name == "tokens" else {0: patients} for name in example}
    with redirect_stdout(io.StringIO()):  # the exporter reports its steps on standard output
        program = torch.onnx.export(
            graph,
            tuple(example.values()),
            dynamo=True,
            dynamic_shapes=(tuple(shapes.values()),),
            input_names=list(INPUT_SHAPES),
            output_names=list(OUTPUT_NAMES),
            opset_version=OPSET,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing: use the torch version of the constraints file")
    program.save(str(path), external_data=False)
    shrink(path)
    onnx.checker.check_model(str(path))
