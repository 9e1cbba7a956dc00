"""The authors' files and CLIP in small, and their forward passes written out."""

from __future__ import annotations

import math

import open_clip
import torch
import torch.nn.functional as F

WIDTH, JOINT, LAYERS, PATCH, SIDE = 128, 48, 2, 8, 24  # two heads of 64


TEXT_WIDTH, VOCAB = 64, 100


HEADS, DIM_HEAD, MLP = 8, 6, 20


def rand(*shape, scale=0.2):
    return torch.randn(*shape) * scale


def blocks(prefix, width):
    state = {}
    for i in range(LAYERS):
        p = f"{prefix}transformer.resblocks.{i}."
        for norm in ("ln_1", "ln_2"):
            state[f"{p}{norm}.weight"] = 1 + rand(width)
            state[f"{p}{norm}.bias"] = rand(width)
        state[f"{p}attn.in_proj_weight"] = rand(3 * width, width)
        state[f"{p}attn.in_proj_bias"] = rand(3 * width)
        state[f"{p}attn.out_proj.weight"] = rand(width, width)
        state[f"{p}attn.out_proj.bias"] = rand(width)
        state[f"{p}mlp.c_fc.weight"] = rand(4 * width, width)
        state[f"{p}mlp.c_fc.bias"] = rand(4 * width)
        state[f"{p}mlp.c_proj.weight"] = rand(width, 4 * width)
        state[f"{p}mlp.c_proj.bias"] = rand(width)
    return state


def visual_state(prefix="visual."):
    state = {
        f"{prefix}class_embedding": rand(WIDTH),
        f"{prefix}positional_embedding": rand((SIDE // PATCH) ** 2 + 1, WIDTH),
        f"{prefix}proj": rand(WIDTH, JOINT),
        f"{prefix}conv1.weight": rand(WIDTH, 3, PATCH, PATCH),
        **blocks(prefix, WIDTH),
    }
    for norm in ("ln_pre", "ln_post"):
        state[f"{prefix}{norm}.weight"] = 1 + rand(WIDTH)
        state[f"{prefix}{norm}.bias"] = rand(WIDTH)
    return state


def clip_state():
    return {
        **visual_state(),
        **blocks("", TEXT_WIDTH),
        "positional_embedding": rand(77, TEXT_WIDTH),
        "text_projection": rand(TEXT_WIDTH, JOINT),
        "token_embedding.weight": rand(VOCAB, TEXT_WIDTH),
        "ln_final.weight": 1 + rand(TEXT_WIDTH),
        "ln_final.bias": rand(TEXT_WIDTH),
        "logit_scale": torch.tensor(4.5),
    }


def temporal_state():
    state = {
        "temporal.cls_token": rand(1, 1, JOINT, scale=1),
        "temporal.pos_embedding": rand(1, 1024, JOINT, scale=1),
    }
    for i in range(2):
        p = f"temporal.temporal_transformer.layers.{i}."
        for j in (0, 1):
            state[f"{p}{j}.fn.norm.weight"] = 1 + rand(JOINT)
            state[f"{p}{j}.fn.norm.bias"] = rand(JOINT)
        state[f"{p}0.fn.fn.to_qkv.weight"] = rand(3 * HEADS * DIM_HEAD, JOINT)
        state[f"{p}0.fn.fn.to_out.0.weight"] = rand(JOINT, HEADS * DIM_HEAD)
        state[f"{p}0.fn.fn.to_out.0.bias"] = rand(JOINT)
        state[f"{p}1.fn.fn.net.0.weight"] = rand(MLP, JOINT)
        state[f"{p}1.fn.fn.net.0.bias"] = rand(MLP)
        state[f"{p}1.fn.fn.net.3.weight"] = rand(JOINT, MLP)
        state[f"{p}1.fn.fn.net.3.bias"] = rand(JOINT)
    return state


def zero_shot_file():
    backbone = {f"backbone.{name}": tensor for name, tensor in clip_state().items()}
    return {**backbone, **temporal_state(), "logit_scale": torch.tensor(4.2)}


def downstream_file():
    task = {"mlp.0.weight": rand(24, JOINT), "mlp.0.bias": rand(24), "mlp.2.weight": rand(7, 24)}
    return {**visual_state("backbone."), **temporal_state(), **task}


def attend(q, k, v, heads):
    """Attention over (B, N, heads * d) tensors whose columns are "(h d)"."""
    b, n, _ = q.shape
    q, k, v = (x.reshape(b, n, heads, -1) for x in (q, k, v))
    weights = torch.einsum("bihd,bjhd->bhij", q, k) / math.sqrt(q.shape[-1])
    return torch.einsum("bhij,bjhd->bihd", weights.softmax(-1), v).reshape(b, n, -1)


def norm(x, state, name):
    weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
    x = x - x.mean(-1, keepdim=True)
    return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() * weight + bias


def direct_frames(state, images, prefix, quick=True):
    """Evaluate the image tower from the file's tensors: (N, 3, SIDE, SIDE) to (N, JOINT)."""
    n, grid = len(images), SIDE // PATCH
    kernel = state[f"{prefix}conv1.weight"]
    patches = images.reshape(n, 3, grid, PATCH, grid, PATCH)
    x = torch.einsum("nciajb,wcab->nijw", patches, kernel).reshape(n, grid * grid, WIDTH)
    x = torch.cat([state[f"{prefix}class_embedding"].expand(n, 1, WIDTH), x], dim=1)
    x = norm(x + state[f"{prefix}positional_embedding"], state, f"{prefix}ln_pre")
    for i in range(LAYERS):
        p = f"{prefix}transformer.resblocks.{i}."
        y = norm(x, state, f"{p}ln_1")
        y = y @ state[f"{p}attn.in_proj_weight"].T + state[f"{p}attn.in_proj_bias"]
        y = attend(*y.chunk(3, dim=-1), heads=WIDTH // 64)
        x = x + y @ state[f"{p}attn.out_proj.weight"].T + state[f"{p}attn.out_proj.bias"]
        y = norm(x, state, f"{p}ln_2")
        y = y @ state[f"{p}mlp.c_fc.weight"].T + state[f"{p}mlp.c_fc.bias"]
        y = y / (1 + torch.exp(-1.702 * y)) if quick else F.gelu(y)
        x = x + y @ state[f"{p}mlp.c_proj.weight"].T + state[f"{p}mlp.c_proj.bias"]
    return norm(x[:, 0], state, f"{prefix}ln_post") @ state[f"{prefix}proj"]


def direct_video(state, clips, prefix, quick=True):
    """Evaluate image tower and temporal module from the authors' tensors."""
    b, t = clips.shape[:2]
    frames = direct_frames(state, clips.flatten(0, 1), prefix, quick).reshape(b, t, JOINT)
    x = torch.cat([state["temporal.cls_token"].expand(b, 1, JOINT), frames], dim=1)
    x = x + state["temporal.pos_embedding"][:, : t + 1]
    for i in range(2):
        p = f"temporal.temporal_transformer.layers.{i}."
        y = norm(x, state, f"{p}0.fn.norm") @ state[f"{p}0.fn.fn.to_qkv.weight"].T
        y = attend(*y.chunk(3, dim=-1), heads=HEADS)
        x = x + y @ state[f"{p}0.fn.fn.to_out.0.weight"].T + state[f"{p}0.fn.fn.to_out.0.bias"]
        y = norm(x, state, f"{p}1.fn.norm")
        y = y @ state[f"{p}1.fn.fn.net.0.weight"].T + state[f"{p}1.fn.fn.net.0.bias"]
        y = y / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (y + 0.044715 * y**3)))
        x = x + y @ state[f"{p}1.fn.fn.net.3.weight"].T + state[f"{p}1.fn.fn.net.3.bias"]
    return x[:, 0]


def saved(path, state, *, ddp=False, nested=None):
    if ddp:
        state = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save({nested: state, "epoch": 3} if nested else state, path)
    return path


def some_tokens():
    tokens = torch.randint(1, VOCAB - 1, (3, 77))
    for row, end in enumerate((3, 9, 76)):
        tokens[row, end] = VOCAB - 1  # the end token has the highest number
        tokens[row, end + 1 :] = 0
    return tokens


def reference_clip(state):
    clip = open_clip.CLIP(
        JOINT,
        {"image_size": SIDE, "layers": LAYERS, "width": WIDTH, "patch_size": PATCH},
        {"width": TEXT_WIDTH, "heads": 1, "layers": LAYERS, "vocab_size": VOCAB},
        quick_gelu=True,
    ).eval()
    clip.load_state_dict({n: t for n, t in state.items() if not n.startswith("temporal.")})
    return clip
