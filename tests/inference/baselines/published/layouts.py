"""Names and shapes of the published files, written down from their description and not from our models."""

from __future__ import annotations

Shapes = dict[str, tuple[int, ...]]


def under(prefix: str, shapes: Shapes) -> Shapes:
    return {f"{prefix}{name}": shape for name, shape in shapes.items()}


def affine(name: str, *shape: int) -> Shapes:
    """A weight of a shape and a bias of its first axis."""
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def clip_block(width: int) -> Shapes:
    return (
        {"attn.in_proj_weight": (3 * width, width), "attn.in_proj_bias": (3 * width,)}
        | affine("attn.out_proj", width, width)
        | affine("ln_1", width)
        | affine("ln_2", width)
        | affine("mlp.c_fc", 4 * width, width)
        | affine("mlp.c_proj", width, 4 * width)
    )


def clip(
    *, embed: int, side: int, patch: int, vision: int, text: int, layers: int, context: int = 77, words: int = 49408
) -> Shapes:
    """CheXzero's file; `side` pixels, `vision` and `text` the widths."""
    shapes: Shapes = {
        "positional_embedding": (context, text),
        "text_projection": (text, embed),
        "logit_scale": (),
        "token_embedding.weight": (words, text),
        "visual.class_embedding": (vision,),
        "visual.positional_embedding": ((side // patch) ** 2 + 1, vision),
        "visual.proj": (vision, embed),
        "visual.conv1.weight": (vision, 3, patch, patch),
    }
    shapes |= affine("ln_final", text) | affine("visual.ln_pre", vision) | affine("visual.ln_post", vision)
    for layer in range(layers):
        shapes |= under(f"visual.transformer.resblocks.{layer}.", clip_block(vision))
        shapes |= under(f"transformer.resblocks.{layer}.", clip_block(text))
    return shapes


def batch_norm(name: str, width: int) -> Shapes:
    running: Shapes = {f"{name}.running_mean": (width,), f"{name}.running_var": (width,)}
    return affine(name, width) | running | {f"{name}.num_batches_tracked": ()}


def bottleneck(inputs: int, width: int, *, first: bool) -> Shapes:
    shapes: Shapes = {
        "conv1.weight": (width, inputs, 1, 1),
        "conv2.weight": (width, width, 3, 3),
        "conv3.weight": (4 * width, width, 1, 1),
    }
    shapes |= batch_norm("bn1", width) | batch_norm("bn2", width) | batch_norm("bn3", 4 * width)
    if first:
        shapes |= {"downsample.0.weight": (4 * width, inputs, 1, 1)} | batch_norm("downsample.1", 4 * width)
    return shapes


def resnet(*, width: int, depths: tuple[int, ...]) -> Shapes:
    """A ResNet without its `fc`."""
    shapes: Shapes = {"conv1.weight": (width, 3, 7, 7)} | batch_norm("bn1", width)
    inputs = width
    for stage, depth in enumerate(depths):
        inner = width * 2**stage
        for block in range(depth):
            shapes |= under(f"layer{stage + 1}.{block}.", bottleneck(inputs, inner, first=block == 0))
            inputs = 4 * inner
    return shapes


def bert(*, width: int, layers: int, words: int, places: int) -> Shapes:
    """A BERT without its pooler."""
    shapes: Shapes = {
        "embeddings.word_embeddings.weight": (words, width),
        "embeddings.position_embeddings.weight": (places, width),
        "embeddings.token_type_embeddings.weight": (2, width),
    }
    shapes |= affine("embeddings.LayerNorm", width)
    for layer in range(layers):
        inside: Shapes = {}
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            inside |= affine(part, width, width)
        inside |= affine("attention.output.LayerNorm", width) | affine("output.LayerNorm", width)
        inside |= affine("intermediate.dense", 4 * width, width) | affine("output.dense", width, 4 * width)
        shapes |= under(f"encoder.layer.{layer}.", inside)
    return shapes


def swin_block(width: int, heads: int, window: int) -> Shapes:
    shapes: Shapes = {
        "attention.self.relative_position_bias_table": ((2 * window - 1) ** 2, heads),
        "attention.self.relative_position_index": (window**2, window**2),
    }
    for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
        shapes |= affine(part, width, width)
    shapes |= affine("layernorm_before", width) | affine("layernorm_after", width)
    return shapes | affine("intermediate.dense", 4 * width, width) | affine("output.dense", width, 4 * width)


def swin(*, width: int, depths: tuple[int, ...], heads: tuple[int, ...], window: int = 7) -> Shapes:
    shapes = affine("embeddings.patch_embeddings.projection", width, 3, 4, 4) | affine("embeddings.norm", width)
    for stage, depth in enumerate(depths):
        inner = width * 2**stage
        for block in range(depth):
            shapes |= under(f"encoder.layers.{stage}.blocks.{block}.", swin_block(inner, heads[stage], window))
        if stage < len(depths) - 1:
            down = affine("norm", 4 * inner) | {"reduction.weight": (2 * inner, 4 * inner)}
            shapes |= under(f"encoder.layers.{stage}.downsample.", down)
    return shapes | affine("layernorm", width * 2 ** (len(depths) - 1))


def medclip_text(*, embed: int, width: int, layers: int, words: int, places: int) -> Shapes:
    model = bert(width=width, layers=layers, words=words, places=places) | affine("pooler.dense", width, width)
    head: Shapes = {"text_model.projection_head.weight": (embed, width), "logit_scale": ()}
    return under("text_model.model.", model) | head


def medclip_swin(vision: Shapes, text: Shapes, *, embed: int) -> Shapes:
    head: Shapes = {"vision_model.projection_head.weight": (embed, *vision["layernorm.weight"])}
    return text | under("vision_model.model.", vision) | head


def medclip_resnet(vision: Shapes, text: Shapes, *, embed: int, features: int) -> Shapes:
    return text | under("vision_model.model.", vision) | {"vision_model.model.fc.weight": (embed, features)}


def projector(width: int, embed: int) -> Shapes:
    shapes: Shapes = {"projector.model.0.weight": (embed, width, 1, 1)}
    return shapes | batch_norm("projector.model.1", embed) | affine("projector.model.3", embed, embed, 1, 1)


def pooler_block(width: int) -> Shapes:
    shapes: Shapes = {f"attn.proj_{part}.weight": (width, width) for part in "qkv"}
    shapes |= affine("attn.proj", width, width) | affine("norm1", width) | affine("norm2", width)
    return shapes | affine("mlp.fc1", width, width) | affine("mlp.fc2", width, width)


def vit_pooler(width: int, depth: int) -> Shapes:
    shapes: Shapes = {"type_embed": (2, 1, width)} | affine("norm_post", width)
    for block in range(depth):
        shapes |= under(f"blocks.{block}.", pooler_block(width))
    return shapes


def biovil(*, width: int, depths: tuple[int, ...], embed: int, outputs: int) -> Shapes:
    whole = resnet(width=width, depths=depths) | affine("fc", outputs, 32 * width)
    return under("encoder.encoder.", whole) | projector(32 * width, embed)


def biovil_t(*, width: int, depths: tuple[int, ...], embed: int, outputs: int, vit: int, blocks: int) -> Shapes:
    whole = resnet(width=width, depths=depths) | affine("fc", outputs, 32 * width)
    return (
        under("encoder.encoder.", whole)
        | {"encoder.backbone_to_vit.weight": (vit, 32 * width, 1, 1), "encoder.missing_previous_emb": (1, vit, 1, 1)}
        | under("encoder.vit_pooler.", vit_pooler(vit, blocks))
        | projector(2 * vit, embed)
    )


def cxr_bert(*, embed: int, width: int, layers: int, words: int, places: int) -> Shapes:
    shapes = under("bert.", bert(width=width, layers=layers, words=words, places=places))
    shapes |= {"cls.predictions.bias": (words,)} | affine("cls.predictions.decoder", words, width)
    shapes |= affine("cls.predictions.transform.dense", width, width)
    shapes |= affine("cls.predictions.transform.LayerNorm", width)
    head = affine("dense_to_hidden", embed, width) | affine("LayerNorm", embed)
    return shapes | under("cls_projection_head.", head | affine("dense_to_output", embed, embed))
