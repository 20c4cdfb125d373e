"""How image and text embeddings are pulled together: the losses of CLIP and of MedCLIP."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def symmetric_contrastive(image: Tensor, text: Tensor, scale: Tensor) -> Tensor:
    """Return the loss () that asks each image for its own text among the batch, and each text for its image.

    Args:
        image: unit vectors (B, J).
        text: unit vectors (B, J), row i belonging to image i.
        scale: inverse temperature ().
    """
    scores = scale * image @ text.T
    own = torch.arange(len(scores))
    return (cross_entropy(scores, own) + cross_entropy(scores.T, own)) / 2


def semantic_matching(image: Tensor, text: Tensor, scale: Tensor, labels: Tensor) -> Tensor:
    """Return MedCLIP's decoupled loss (): the soft target of a pair is how alike its two labels are (Wang et al. 2022).

    Any image may be held against any text. With one label (B,) a case the likeness is 1 or 0, and the targets of a row
    are its softmax, as published.
    """
    scores = scale * image @ text.T
    targets = (labels[:, None] == labels[None, :]).float().softmax(-1)
    return (cross_entropy(scores, targets) + cross_entropy(scores.T, targets)) / 2
