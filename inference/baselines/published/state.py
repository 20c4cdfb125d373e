"""A published weight file -> its tensors by name, without running any code that is in the file."""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from inference.manifest import CheckpointError

INNER_NAME: Final = "pytorch_model.bin"
"""What MedCLIP's published archives hold."""
LARGEST_INNER: Final = 4 * 2**30
"""Bytes unpacked into memory at most; the published files have under 0.7 GB."""
WRAPPERS: Final = ("state_dict", "model")
PARALLEL: Final = "module."
"""What `DataParallel` puts before every name."""
HOW_TO_SAVE: Final = (
    "where you trust its origin, open it once with the program that wrote it and save only the weights, "
    "`torch.save(model.state_dict(), path)`"
)
DAMAGE: Final = (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, IndexError, AttributeError)
"""What `torch.load` raises on a file that is no file of tensors."""


def read_state(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a `.pt`, `.bin` or `.safetensors` file, or of the `pytorch_model.bin` in a zip.

    A `state_dict` or `model` wrapper around them and a `module.` before every name are taken off.

    Raises:
        CheckpointError: the file cannot be read, is damaged, or holds anything but tensors by name.
    """
    try:
        content = load_file(path) if path.suffix == ".safetensors" else read_pickle(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: give the weight file itself, as it was published") from error
    except SafetensorError as error:
        raise CheckpointError(f"{path} is no safetensors file, or damaged: download it again") from error
    return strip_parallel(checked(path, unwrap(content)))


def read_pickle(path: Path) -> object:
    """Read a PyTorch file with the unpickler that makes tensors and nothing else."""
    source = inner_file(path) if zipfile.is_zipfile(path) else path
    try:
        return torch.load(source, map_location="cpu", weights_only=True)
    except DAMAGE as error:
        raise CheckpointError(
            f"{path} is damaged, or holds pickled Python objects, which can run code when they are opened: it was not "
            f"opened. Download it again, or {HOW_TO_SAVE}"
        ) from error


def inner_file(path: Path) -> Path | io.BytesIO:
    """Return what to read of a zip: MedCLIP's inner file, or the whole where it is PyTorch's own archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {PurePosixPath(name).name for name in archive.namelist()}
            inner = [item for item in archive.infolist() if PurePosixPath(item.filename).name == INNER_NAME]
            if "constants.pkl" in names:
                raise CheckpointError(f"{path} is a TorchScript archive, which holds code: {HOW_TO_SAVE}")
            if not inner and "data.pkl" in names:
                return path
            if len(inner) != 1 or inner[0].file_size > LARGEST_INNER:
                raise CheckpointError(f"{path} must hold one {INNER_NAME} of at most 4 GiB: give the file itself")
            return io.BytesIO(archive.read(inner[0]))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path} is a damaged or encrypted zip: download it again") from error


def unwrap(content: object) -> object:
    """Take off the wrappers that training programs put around a state dict."""
    while isinstance(content, Mapping):
        inside = [content[name] for name in WRAPPERS if isinstance(content.get(name), Mapping)]
        if not inside:
            break
        content = inside[0]
    return content


def checked(path: Path, content: object) -> dict[str, Tensor]:
    """Refuse anything that is not a non-empty mapping from names to finite tensors."""
    if not isinstance(content, Mapping) or not content:
        raise CheckpointError(f"{path} holds no tensors by name: {HOW_TO_SAVE}")
    if others := [str(name) for name, value in content.items() if not is_named_tensor(name, value)]:
        raise CheckpointError(f"{path} holds things that are no tensors ({listed(others)}): {HOW_TO_SAVE}")
    if broken := [name for name, tensor in content.items() if not is_finite(tensor)]:
        raise CheckpointError(f"{path} holds values that are no numbers in {listed(broken)}: download it again")
    return dict(content)


def is_named_tensor(name: object, value: object) -> bool:
    """Tell whether an entry is a dense tensor under a string, with as many numbers in the file as its shape says."""
    if not (isinstance(name, str) and isinstance(value, Tensor) and value.layout is torch.strided):
        return False
    return value.device.type == "cpu" and value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def is_finite(tensor: Tensor) -> bool:
    """Tell whether a tensor has neither NaN nor infinity: one of either makes every later figure NaN."""
    return not tensor.is_floating_point() or math.isfinite(tensor.sum(dtype=torch.float64).item())


def strip_parallel(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take `module.` off the names where every name has it."""
    if all(name.startswith(PARALLEL) for name in tensors):
        return {name.removeprefix(PARALLEL): tensor for name, tensor in tensors.items()}
    return tensors


def listed(names: list[str]) -> str:
    """Write names for a message, the first four and how many more there are."""
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
