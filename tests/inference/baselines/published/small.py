"""Small files of the published layouts, their numbers made by a formula from the name; and vocabularies beside them."""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.inference.baselines.published import layouts
from tests.inference.baselines.published.layouts import Shapes

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SAID = """pneumonia no clear lungs without focal consolidation bacterial lobar viral bilateral perihilar
interstitial opacities effusion . ! ?"""
WORDS = [*SPECIAL, *SAID.split()]
CLIP_WORDS = ["n", "o", "b", "n</w>", "o</w>", "b</w>", "no</w>", "<|startoftext|>", "<|endoftext|>"]
DEPTHS = (1, 2, 1, 1)
TEXT = {"width": 64, "layers": 3, "words": len(WORDS), "places": 80}

CLIP = layouts.clip(embed=16, side=224, patch=32, vision=128, text=64, layers=2, words=len(CLIP_WORDS))
CLIP_320 = layouts.clip(embed=24, side=320, patch=16, vision=64, text=64, layers=1, words=len(CLIP_WORDS))
MEDCLIP_TEXT = layouts.medclip_text(embed=16, **TEXT)
SWIN = layouts.swin(width=8, depths=(2, 2), heads=(1, 2))
MEDCLIP_SWIN = layouts.medclip_swin(SWIN, MEDCLIP_TEXT, embed=16)
MEDCLIP_RESNET = layouts.medclip_resnet(layouts.resnet(width=8, depths=DEPTHS), MEDCLIP_TEXT, embed=16, features=8 * 32)
BIOVIL = layouts.biovil(width=8, depths=DEPTHS, embed=16, outputs=10)
BIOVIL_T = layouts.biovil_t(width=8, depths=DEPTHS, embed=16, outputs=10, vit=32, blocks=2)
CXR_BERT = layouts.cxr_bert(embed=16, **TEXT)


def filled(shapes: Shapes) -> dict[str, Tensor]:
    """Give each tensor the numbers of a wave that starts where a digest of its name says."""
    return {name: wave(name, shape) for name, shape in shapes.items()}


def wave(name: str, shape: tuple[int, ...]) -> Tensor:
    if name.endswith(("num_batches_tracked", "relative_position_index")):
        return torch.zeros(shape, dtype=torch.int64)
    if name.endswith("logit_scale"):
        return torch.tensor(1.5)
    steps = torch.arange(math.prod(shape), dtype=torch.float64) * 0.7391 + zlib.crc32(name.encode()) % 1000
    values = steps.square().sin().float().reshape(shape)
    is_scale = name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1)
    if is_scale:
        return 1 + 0.3 * values
    return values * (0.2 if len(shape) < 2 else 1.5 / math.sqrt(math.prod(shape[1:])))


def save(folder: Path, name: str, shapes: Shapes) -> Path:
    """Write a file of safetensors: `torch.save` takes a second for what this writes at once."""
    path = folder / f"{name}.safetensors"
    save_file(filled(shapes), path)
    return path


def word_folder(folder: Path) -> Path:
    """A folder with a vocabulary of word pieces."""
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    return folder


def clip_folder(folder: Path) -> Path:
    """A folder with a CLIP vocabulary that can write "no" and "bonbon"."""
    folder.mkdir(exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({word: place for place, word in enumerate(CLIP_WORDS)}))
    (folder / "merges.txt").write_text("#version: 0.2\nn o</w>\n")
    return folder
