from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import BertConfig, SwinConfig

from inference.baselines.published.biovil_image import BioVilImage, PairTrunk, SingleTrunk
from inference.baselines.published.clip import Clip, ClipSizes
from inference.baselines.published.cxr_bert import CxrBert
from inference.baselines.published.layout import StateFile
from inference.baselines.published.medclip import MedClip, ResNetVision, SwinVision, Text
from inference.baselines.published.resnet import ResNetSizes
from inference.baselines.published.swin import published_name
from inference.baselines.published.vit_pooler import PoolerSizes
from inference.manifest import CheckpointError
from tests.inference.baselines.published import layouts
from tests.inference.baselines.published.layouts import Shapes

B32 = layouts.clip(embed=512, side=224, patch=32, vision=768, text=512, layers=12)
B16 = layouts.clip(embed=768, side=320, patch=16, vision=768, text=512, layers=12)
R50 = (3, 4, 6, 3)
CLINICAL = layouts.medclip_text(embed=512, width=768, layers=12, words=28996, places=512)
SWIN_TINY = layouts.swin(width=96, depths=(2, 2, 6, 2), heads=(3, 6, 12, 24))
MEDCLIP_SWIN = layouts.medclip_swin(SWIN_TINY, CLINICAL, embed=512)
MEDCLIP_RESNET = layouts.medclip_resnet(layouts.resnet(width=64, depths=R50), CLINICAL, embed=512, features=2048)
BIOVIL = layouts.biovil(width=64, depths=R50, embed=128, outputs=1000)
BIOVIL_T = layouts.biovil_t(width=64, depths=R50, embed=128, outputs=1000, vit=256, blocks=3)
CXR_BERT = layouts.cxr_bert(embed=128, width=768, layers=12, words=30522, places=512)


def clip_b32() -> nn.Module:
    return Clip(ClipSizes(512, 224, 32, 768, 12, 77, 49408, 512, 12))


def clip_b16() -> nn.Module:
    return Clip(ClipSizes(768, 320, 16, 768, 12, 77, 49408, 512, 12))


def medclip_swin() -> nn.Module:
    return MedClip(SwinVision(SwinConfig(), 512), Text(BertConfig(vocab_size=28996), 512))


def medclip_resnet() -> nn.Module:
    return MedClip(ResNetVision(ResNetSizes(64, R50, 512, bias=False)), Text(BertConfig(vocab_size=28996), 512))


def biovil() -> nn.Module:
    return BioVilImage(SingleTrunk(ResNetSizes(64, R50, 1000, bias=True)), 128)


def biovil_t() -> nn.Module:
    return BioVilImage(PairTrunk(ResNetSizes(64, R50, 1000, bias=True), PoolerSizes(256, 3)), 128)


def cxr_bert() -> nn.Module:
    return CxrBert(BertConfig(), 128)


@pytest.mark.parametrize(
    ("layout", "build", "rename"),
    [
        (B32, clip_b32, str),
        (B16, clip_b16, str),
        (MEDCLIP_SWIN, medclip_swin, published_name),
        (MEDCLIP_RESNET, medclip_resnet, published_name),
        (BIOVIL, biovil, str),
        (BIOVIL_T, biovil_t, str),
        (CXR_BERT, cxr_bert, str),
    ],
)
def test_full_model_has_the_published_names_and_shapes(
    layout: Shapes, build: Callable[[], nn.Module], rename: Callable[[str], str]
) -> None:
    """At full size each model has exactly the tensors of its file, tables of older transformers apart."""
    with torch.device("meta"):
        model = build()

    found = {rename(name): tuple(tensor.shape) for name, tensor in model.state_dict().items()}

    assert found == {name: shape for name, shape in layout.items() if not name.endswith("relative_position_index")}


@pytest.mark.parametrize(
    ("layout", "tensors"),
    [(B32, 302), (B16, 302), (MEDCLIP_SWIN, 433), (MEDCLIP_RESNET, 520), (BIOVIL, 328), (BIOVIL_T, 372)],
)
def test_file_has_the_derived_number_of_tensors(layout: Shapes, tensors: int) -> None:
    """The number of tensors of each published file, `position_ids` not counted."""
    assert len(layout) == tensors


@pytest.mark.parametrize(
    ("build", "parameters"), [(clip_b32, 151_277_313), (clip_b16, 150_105_089), (biovil_t, 27_349_928)]
)
def test_full_model_has_the_derived_number_of_parameters(build: Callable[[], nn.Module], parameters: int) -> None:
    """The number of weights of each published model, buffers not counted."""
    with torch.device("meta"):
        model = build()

    assert sum(one.numel() for one in model.parameters()) == parameters


def test_halves_of_clip_have_the_derived_sizes() -> None:
    """Vision has 87.8 million weights, text the other 63.4 million, the scale being neither."""
    sizes = {name: math.prod(shape) for name, shape in B32.items()}
    vision = sum(size for name, size in sizes.items() if name.startswith("visual."))

    assert (round(vision / 1e6, 1), round((sum(sizes.values()) - vision - 1) / 1e6, 1)) == (87.8, 63.4)


def state_file(**changes: torch.Tensor | None) -> StateFile:
    """The file of a small linear layer, with something else in it or taken out."""
    tensors = {"weight": torch.ones(2, 3), "bias": torch.ones(2)} | changes
    return StateFile(Path("a.pt"), "Linear", {name: one for name, one in tensors.items() if one is not None})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"bias": None}, "a.pt is no checkpoint of Linear: missing bias. Give the file"),
        ({"extra": torch.ones(1)}, "unknown extra"),
        ({"weight": torch.ones(3, 2)}, r"other shapes: weight \(3, 2\) instead of \(2, 3\)"),
        ({"bias": None, "extra": torch.ones(1)}, "missing bias; unknown extra"),
        ({f"extra{number}": torch.ones(1) for number in range(7)}, "extra0, extra1, extra2, extra3 and 3 more"),
    ],
)
def test_file_that_does_not_fit_is_refused(changes: dict[str, torch.Tensor | None], sentence: str) -> None:
    """A missing, unknown or misshapen tensor is named, with the file and what to give instead."""
    with pytest.raises(CheckpointError, match=sentence):
        state_file(**changes).fill(nn.Linear(3, 2))


def test_only_what_is_named_is_tolerated() -> None:
    """A tolerated name may be missing or too much; its neighbour may not."""
    file = state_file(bias=None, position_ids=torch.zeros(4))
    file.fill(nn.Linear(3, 2), tolerated=("position_ids", "bias"))

    with pytest.raises(CheckpointError, match="missing bias"):
        file.fill(nn.Linear(3, 2), tolerated=("position_ids",))


def test_half_precision_is_widened() -> None:
    """Weights stored in 16 bits are computed with in 32, which every CPU can."""
    layer = nn.Linear(3, 2)
    state_file(weight=torch.full((2, 3), 0.5, dtype=torch.float16)).fill(layer)

    assert layer.weight.dtype == torch.float32
    assert set(layer.weight.flatten().tolist()) == {0.5}


@pytest.mark.parametrize(
    ("name", "axes", "sentence"),
    [
        ("absent", 1, "missing absent"),
        ("weight", 4, r"weight has shape \(2, 3\), not 4 axes"),
        ("empty", 2, r"empty has shape \(0, 3\)"),
    ],
)
def test_sizes_are_read_from_sound_shapes_only(name: str, axes: int, sentence: str) -> None:
    """A tensor that sizes are read from must be there, have its axes, and not be empty."""
    with pytest.raises(CheckpointError, match=sentence):
        state_file(empty=torch.ones(0, 3)).shape(name, axes)


def test_layers_are_counted_by_their_numbers() -> None:
    """Two numbered parts are two layers; none at all is no model."""
    file = StateFile(Path("a.pt"), "X", {"b.0.w": torch.ones(1), "b.1.w": torch.ones(1), "b.name": torch.ones(1)})

    assert file.depth("b.") == 2
    with pytest.raises(CheckpointError, match=r"missing everything under c\.0"):
        file.depth("c.")
    with pytest.raises(CheckpointError, match="65 is no multiple of 64"):
        file.heads(65)
