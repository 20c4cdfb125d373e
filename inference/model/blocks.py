"""Attention and transformer blocks shared by the encoders and the fusion.

Plain Linear layers for queries, keys and values: one design serves relevance, ONNX, Triton and differential privacy.
"""

from __future__ import annotations

from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention that hands back its map when the map is asked for."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of {heads} heads")
        self.heads, self.head_width = heads, width // heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def split(self, tokens: Tensor) -> Tensor:
        """Split tokens (B, N, D) into heads (B, H, N, D/H)."""
        return tokens.view(*tokens.shape[:-1], self.heads, self.head_width).transpose(1, 2)

    def fused(self, tokens: Tensor, bias: Tensor | None = None) -> Tensor:
        """Self-attention over tokens (B, N, D) by the fused kernel; `bias` (B, 1, 1, N) is added to the scores."""
        mixed = nn.functional.scaled_dot_product_attention(
            self.split(self.query(tokens)), self.split(self.key(tokens)), self.split(self.value(tokens)), attn_mask=bias
        )
        joined: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return joined

    def mapped(self, queries: Tensor, keys: Tensor, bias: Tensor | None, delta: Tensor | None) -> tuple[Tensor, Tensor]:
        """Attend from queries (B, Q, D) to keys (B, K, D) and return the result and the map (B, H, Q, K).

        `delta` (B, H, Q, K) is a zero added to the map before it meets the values: its gradient is the map's gradient.
        """
        scores = self.split(self.query(queries)) @ self.split(self.key(keys)).transpose(-1, -2)
        scores = scores * self.head_width**-0.5
        attention = (scores if bias is None else scores + bias).softmax(-1)
        used = attention if delta is None else attention + delta
        joined: Tensor = self.out((used @ self.split(self.value(keys))).transpose(1, 2).flatten(2))
        return joined, attention

    def asked(self, query: Tensor, keys: Tensor, bias: Tensor | None, delta: Tensor | None) -> tuple[Tensor, Tensor]:
        """Do what `mapped` does for one query (B, 1, D), without projecting every key and value.

        The query is carried into the space of the keys, and the mean of the keys out of it: the same products in
        another order, a hundredth of the work. What the key's bias adds is the same for all keys, so softmax drops it.
        """
        width = keys.shape[-1]
        of_key = self.key.weight.view(self.heads, self.head_width, width)
        of_value = self.value.weight.view(self.heads, self.head_width, width)
        scores = (self.split(self.query(query)) @ of_key) @ keys[:, None].transpose(-1, -2)  # (B, H, 1, K)
        scores = scores * self.head_width**-0.5
        attention = (scores if bias is None else scores + bias).softmax(-1)
        used = attention if delta is None else attention + delta
        mixed = (used @ keys[:, None]) @ of_value.transpose(-1, -2)  # (B, H, 1, D/H)
        mixed = mixed + used.sum(-1, keepdim=True) * self.value.bias.view(self.heads, 1, self.head_width)
        joined: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return joined, attention


class FeedForward(nn.Sequential):
    """The two-layer perceptron of a transformer block, on tokens (B, N, D)."""

    def __init__(self, width: int, ratio: int, dropout: float) -> None:
        super().__init__(
            nn.Linear(width, ratio * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(ratio * width, width)
        )


class TransformerBlock(nn.Module):
    """Pre-norm self-attention block, tokens (B, N, D) to (B, N, D)."""

    def __init__(self, width: int, heads: int, *, ratio: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm_attention, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mlp = FeedForward(width, ratio, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, bias: Tensor | None = None) -> Tensor:
        """Mix tokens (B, N, D); `bias` (B, 1, 1, N) is minus infinity at padding."""
        tokens = tokens + self.dropout(self.attention.fused(self.norm_attention(tokens), bias))
        mixed: Tensor = tokens + self.dropout(self.mlp(self.norm_mlp(tokens)))
        return mixed
