"""A folder or a name on the Hugging Face hub -> settings and weights, never by running code of a file."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import torch
from huggingface_hub import snapshot_download
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from inference.manifest import CheckpointError

CONFIG: Final = "config.json"
WEIGHTS: Final = ("model.safetensors", "pytorch_model.bin")
"""In the order of preference: the first cannot hold code."""
HUB_NAME: Final = re.compile(r"(?P<name>\w[\w.-]*(/\w[\w.-]*)?)(@(?P<revision>[\w./-]+))?")
WRAPPERS: Final = ("state_dict", "model")
"""Where training scripts put the weights among other things."""
UNREADABLE: Final = (
    *(OSError, EOFError, RuntimeError, ValueError, LookupError, AttributeError),
    *(SafetensorError, pickle.UnpicklingError),
)
"""What the two loaders raise on files that are damaged or hold other things than tensors."""


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """The weights of one file, by their names in it, and where it is."""

    path: Path
    weights: Mapping[str, Tensor]


def find_folder(source: str | Path) -> Path:
    """Return a local folder, or fetch `owner/name` or `owner/name@revision` from the hub.

    A `Path` is always a folder; only a string can be a name on the hub.

    Raises:
        CheckpointError: there is no such folder, and the hub does not give it.
    """
    if (folder := Path(source)).is_dir():
        return folder
    name = HUB_NAME.fullmatch(source) if isinstance(source, str) else None
    if name is None:
        raise CheckpointError(f"{source} is no folder: give one that holds {CONFIG} and {WEIGHTS[0]}")
    return fetch(name["name"], name["revision"])


def fetch(name: str, revision: str | None) -> Path:
    """Fetch settings, vocabulary and one weights file from the hub, or find them in its cache."""
    folder = Path()
    try:
        for weights in WEIGHTS:
            folder = Path(snapshot_download(name, revision=revision, allow_patterns=["*.json", "vocab.txt", weights]))
            if (folder / weights).is_file():
                break
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise CheckpointError(
            f"{name} cannot be fetched from the Hugging Face hub ({type(error).__name__}), and no folder has that "
            f"name: download it elsewhere and give the folder that holds {CONFIG} and {WEIGHTS[0]}"
        ) from error
    return folder


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        CheckpointError: the file is missing or holds something else.
    """
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: give a whole folder in the Hugging Face layout") from error
    except orjson.JSONDecodeError as error:
        raise CheckpointError(f"{path} is not JSON: download the folder again") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} is not a JSON object: download the folder again")
    return content


def read_weights(folder: Path) -> WeightsFile:
    """Read the weights of a folder in single precision.

    Raises:
        CheckpointError: there is no weights file, or it holds anything but named tensors of finite numbers.
    """
    path = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if path is None:
        raise CheckpointError(f"{folder} holds neither {' nor '.join(WEIGHTS)}: give a folder with one whole file")
    try:
        content = load_file(path) if path.suffix == ".safetensors" else unwrap(load_pickle(path))
    except UNREADABLE as error:
        raise CheckpointError(
            f"{path} cannot be read as plain weights ({type(error).__name__}): it is cut off, or holds code, which is "
            "never run. Download it again, as model.safetensors where there is one"
        ) from error
    if not content or not all(isinstance(tensor, Tensor) for tensor in content.values()):
        raise CheckpointError(f"{path} holds other things than named weights: give the state dict of the model alone")
    if broken := [name for name, tensor in content.items() if not tensor.isfinite().all()]:
        raise CheckpointError(f"{path} holds values that are no numbers in {broken[0]}: download it again")
    return WeightsFile(path, {name.removeprefix("module."): tensor.float() for name, tensor in content.items()})


def load_pickle(path: Path) -> object:
    """Load a PyTorch file with the loader that knows tensors only."""
    return torch.load(path, map_location="cpu", weights_only=True)


def unwrap(content: object) -> dict[str, Any]:
    """Return the weights inside what a training script saved; empty where there are none."""
    for name in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    return dict(content) if isinstance(content, Mapping) else {}
