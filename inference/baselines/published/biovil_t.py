"""Files of BioViL-T or BioViL -> a system that judges films (Bannur et al. 2023; layout of the repository hi-ml).

The authors say of both: not intended for deployed use, commercial or otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everyone gives it
from transformers import PreTrainedTokenizerBase

from inference.baselines.published.bert import check_vocabulary, open_bert_tokenizer
from inference.baselines.published.biovil_image import BioVilImage, PairTrunk, SingleTrunk
from inference.baselines.published.cxr_bert import CxrBert, embed_phrases, open_text_model
from inference.baselines.published.layout import StateFile
from inference.baselines.published.protocol import GreyImage, batches, check_image, device_of, joined, softmax_rows
from inference.baselines.published.resnet import resnet_sizes
from inference.baselines.published.vit_pooler import HEADS, PoolerSizes
from inference.contract import FloatArray
from inference.manifest import CheckpointError

SHORTER_SIDE: Final = 512
PUBLISHED_MD5: Final = {
    "biovil_t_image_model_proj_size_128.pt": "a83080e2f23aa584a4f2b24c39b1bb64",
    "biovil_image_resnet50_proj_size_128.pt": "02ce6ee460f72efd599295f440dbb453",
}
"""What their authors give, to find a broken download; it is no protection against a forged file."""


def open_image_model(path: Path) -> BioVilImage:
    """Load an image model; whether it is BioViL-T or BioViL is told from the names.

    Raises:
        CheckpointError: it is neither, or has the name of a published file and not its content.
    """
    check_published(path)
    file = StateFile.open(path, "BioViL-T or BioViL (image model)")
    embed, _, _, _ = file.shape("projector.model.0.weight", 4)
    sizes = resnet_sizes(file, "encoder.encoder.", bias=True)
    if "encoder.backbone_to_vit.weight" in file.tensors:
        model = BioVilImage(PairTrunk(sizes, pooler_sizes(file)), embed)
    else:
        model = BioVilImage(SingleTrunk(sizes), embed)
    file.fill(model)
    return model


def pooler_sizes(file: StateFile) -> PoolerSizes:
    """Read the sizes of the transformer off the shapes of its tensors."""
    width, _, _, _ = file.shape("encoder.backbone_to_vit.weight", 4)
    if width % (4 * HEADS):
        raise file.refuse(f"its patches have width {width}, which is no multiple of {4 * HEADS}")
    return PoolerSizes(width, file.depth("encoder.vit_pooler.blocks."))


def check_published(path: Path) -> None:
    """Refuse a file that has the name of a published one and another content."""
    if path.name not in PUBLISHED_MD5 or not path.is_file():
        return
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if digest != PUBLISHED_MD5[path.name]:
        raise CheckpointError(
            f"{path} has the name of a published file and not its content: download it again, or, "
            "where it is a checkpoint of your own, give it another name"
        )


def stretch(grey: GreyImage) -> GreyImage:
    """Stretch a film to 0..255 by its darkest and brightest pixel; fractions are cut off, as the authors have it."""
    values = grey.astype(np.float64) - grey.min()
    # A film of one value stays black, where the authors divide by zero.
    stretched: GreyImage = (values / max(values.max(), 1) * 255).astype(np.uint8)
    return stretched


def preprocess(grey: GreyImage, crop: int) -> Tensor:
    """Turn a film (H, W) into what BioViL sees: (3, crop, crop), 0..1, no mean or deviation taken off.

    Bone must be white. The authors read DICOM files without inverting MONOCHROME1, so such films reach their model as
    negatives; `protocol.grey_of` gives the film of a record the right way round.
    """
    check_image(grey)
    height, width = grey.shape
    shorter = min(height, width)
    size = int(SHORTER_SIDE * width / shorter), int(SHORTER_SIDE * height / shorter)
    fitted = Image.fromarray(stretch(grey)).resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - crop) / 2), round((size[1] - crop) / 2)
    values = np.asarray(fitted.crop((left, top, left + crop, top + crop)), np.float32) / 255
    return torch.from_numpy(values).repeat(3, 1, 1)


class BioVil:
    """BioViL-T or BioViL: image model, text model and vocabulary.

    Attributes:
        temperature: what `judge` divides cosines by. The files hold none, so it is 1 where none is given.
    """

    def __init__(
        self, image: BioVilImage, text: CxrBert, tokenizer: PreTrainedTokenizerBase, temperature: float = 1.0
    ) -> None:
        check_vocabulary(tokenizer, text.bert.config.vocab_size)
        if text.cls_projection_head.dense_to_output.out_features != image.embed:
            raise CheckpointError(
                "the image model and the text model project to spaces of different widths: "
                "give the two that were published together"
            )
        self.image, self.text, self.tokenizer, self.temperature = image, text, tokenizer, temperature

    @classmethod
    def open(cls, image: Path, text: Path, vocabulary: Path) -> BioVil:
        """Load the image model, the text model and the folder with the text model's vocabulary.

        Raises:
            CheckpointError: a file is not what it should be.
        """
        return cls(open_image_model(image), open_text_model(text), open_bert_tokenizer(vocabulary))

    def judge(self, images: Sequence[GreyImage], texts: Sequence[Sequence[str]]) -> FloatArray:
        """Return (N, classes), softmax(cosine / temperature), no earlier film given; see `ZeroShot`."""
        return softmax_rows(self.cosines(images, texts), self.temperature)

    @torch.inference_mode()
    def cosines(
        self,
        images: Sequence[GreyImage],
        texts: Sequence[Sequence[str]],
        previous: Sequence[GreyImage] | None = None,
    ) -> Tensor:
        """Return the cosine (N, classes) of each film with the merged texts of each class.

        Args:
            images: N films.
            texts: for each class, one or more texts that mean it.
            previous: an earlier film of each patient, for BioViL-T; None where there is none.

        Raises:
            ValueError: earlier films were given to BioViL, or not one for each film.
        """
        if previous is not None and len(previous) != len(images):
            raise ValueError(f"{len(previous)} earlier films were given for {len(images)} films: give one for each")
        earlier = [None if previous is None else previous[few] for few in batches(len(images))]
        seen = torch.cat(
            [self.embed(images[few], before) for few, before in zip(batches(len(images)), earlier, strict=True)]
        )
        classes = torch.stack([joined(embed_phrases(self.text, self.tokenizer, some)) for some in texts])
        return seen @ classes.to(seen.device).T

    def embed(self, images: Sequence[GreyImage], previous: Sequence[GreyImage] | None) -> Tensor:
        """Encode a few films to vectors (N, E) of length 1: the mean of their projected patches."""
        patches = self.image(self.stack(images), None if previous is None else self.stack(previous))
        return F.normalize(patches.mean((2, 3)), dim=-1)

    def stack(self, images: Sequence[GreyImage]) -> Tensor:
        """Preprocess films of any sizes to (N, 3, crop, crop)."""
        return torch.stack([preprocess(image, self.image.crop) for image in images]).to(device_of(self.image))
