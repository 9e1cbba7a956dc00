"""Files in the reference's, OpenAI's and FaRL's layout against a direct evaluation of them.

The evaluation below works on the file's own names with plain tensor algebra. It shares no code
with the package or with open_clip.
"""

from __future__ import annotations

import math

import open_clip
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from emoclip_sdk.checkpoints import convert, encoder_state_from_openai, load_folder
from emoclip_sdk.errors import CheckpointError

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


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(5)


@pytest.fixture
def clips():
    return torch.randn(2, 5, 3, SIDE, SIDE)


def saved(path, state, *, ddp=False, nested=None):
    if ddp:
        state = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save({nested: state, "epoch": 3} if nested else state, path)
    return path


@torch.no_grad()
@pytest.mark.parametrize("ddp", [False, True], ids=["plain", "module."])
@pytest.mark.parametrize("kind", ["zero-shot", "downstream"])
def test_authors_file_gives_the_same_video_embeddings(tmp_path, clips, kind, ddp):
    state = zero_shot_file() if kind == "zero-shot" else downstream_file()
    prefix = "backbone.visual." if kind == "zero-shot" else "backbone."
    file = saved(tmp_path / "emoclip.pth", state, ddp=ddp)
    returned = convert(file, tmp_path / "out", "emoclip")
    config, model, _ = load_folder(tmp_path / "out")
    assert config == returned
    expected = direct_video(state, clips, prefix)
    torch.testing.assert_close(model.encode_video(clips), expected, atol=1e-5, rtol=1e-5)
    plain = direct_video(state, clips, prefix, quick=False)
    assert (plain - expected).abs().max() > 1e-3  # the activation is kept, and it matters


def test_architecture_is_read_off_the_shapes(tmp_path):
    file = saved(tmp_path / "emoclip.pth", zero_shot_file(), nested="state_dict")
    config = convert(file, tmp_path / "out", "emoclip")
    assert config.towers.quick_gelu
    assert config.towers.model == {
        "embed_dim": JOINT,
        "vision_cfg": {"image_size": 24, "layers": 2, "width": 128, "patch_size": 8},
        "text_cfg": {
            "context_length": 77,
            "vocab_size": VOCAB,
            "width": 64,
            "heads": 1,
            "layers": 2,
        },
    }
    temporal = config.temporal
    assert (temporal.layers, temporal.heads, temporal.dim_head) == (2, HEADS, DIM_HEAD)
    assert (temporal.mlp_dim, temporal.max_positions) == (MLP, 1024)
    assert (config.image.size, config.sampling.n_frames) == (24, 32)
    assert len(config.prompts.labels) == 11


def test_zero_shot_file_keeps_text_and_its_own_logit_scale(tmp_path):
    state = zero_shot_file()
    config = convert(saved(tmp_path / "a.pth", state), tmp_path / "out", "emoclip")
    model = load_folder(tmp_path / "out").model
    assert model.logit_scale.item() == pytest.approx(4.2)
    assert config.info["left_out"] == ["backbone.logit_scale"]
    clip = reference_clip({n.removeprefix("backbone."): t for n, t in state.items()})
    tokens = some_tokens()
    with torch.no_grad():
        torch.testing.assert_close(
            model.encode_tokens(tokens), clip.encode_text(tokens), atol=1e-5, rtol=1e-5
        )


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


def test_downstream_file_has_no_text_and_says_what_was_left_out(tmp_path):
    config = convert(saved(tmp_path / "a.pth", downstream_file()), tmp_path / "out", "emoclip")
    assert not config.towers.text
    assert config.info["left_out"] == ["mlp.0.bias", "mlp.0.weight", "mlp.2.weight"]
    assert not load_folder(tmp_path / "out").model.towers.has_text


@torch.no_grad()
def test_text_from_adds_a_text_tower(tmp_path, clips):
    clip = clip_state()
    convert(saved(tmp_path / "clip.pt", clip), tmp_path / "clip", "openai-clip")
    state = downstream_file()
    file = saved(tmp_path / "a.pth", state)
    config = convert(file, tmp_path / "out", "emoclip", text_from=tmp_path / "clip")
    model = load_folder(tmp_path / "out").model
    assert config.towers.text
    assert model.logit_scale.item() == pytest.approx(4.5)
    tokens = some_tokens()
    expected = reference_clip(clip).encode_text(tokens)
    torch.testing.assert_close(model.encode_tokens(tokens), expected, atol=1e-5, rtol=1e-5)
    expected = direct_video(state, clips, "backbone.")
    torch.testing.assert_close(model.encode_video(clips), expected, atol=1e-5, rtol=1e-5)


def test_text_from_must_fit(tmp_path, folder):
    file = saved(tmp_path / "a.pth", downstream_file())
    with pytest.raises(CheckpointError, match="is 32 wide, that of the file 48"):
        convert(file, tmp_path / "out", "emoclip", text_from=folder)
    convert(file, tmp_path / "mute", "emoclip")
    with pytest.raises(CheckpointError, match="has no text tower"):
        convert(file, tmp_path / "out", "emoclip", text_from=tmp_path / "mute")
    whole = saved(tmp_path / "b.pth", zero_shot_file())
    with pytest.raises(CheckpointError, match="a text tower of its own"):
        convert(whole, tmp_path / "out", "emoclip", text_from=folder)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda s: s.pop("temporal.cls_token"), r"1 missing: temporal\.cls_token"),
        (lambda s: s.update(surprise=rand(2)), "1 unexpected: surprise"),
        (
            lambda s: s.update({"temporal.temporal_transformer.layers.1.0.fn.norm.bias": rand(3)}),
            r"temporal_transformer\.layers\.1\.0\.fn\.norm\.bias is \(3\) and should be \(48\)",
        ),
        (
            lambda s: s.pop("backbone.transformer.resblocks.1.ln_2.bias"),
            r"1 missing: backbone\.transformer\.resblocks\.1\.ln_2\.bias",
        ),
        (lambda s: s.pop("temporal.pos_embedding"), r"temporal\.pos_embedding is missing"),
        (lambda s: s.pop("backbone.proj"), r"backbone: visual\.proj is missing"),
    ],
)
def test_tensors_that_do_not_fit_are_named_as_in_the_file(tmp_path, edit, message):
    state = downstream_file()
    edit(state)
    with pytest.raises(CheckpointError, match=message):
        convert(saved(tmp_path / "a.pth", state), tmp_path / "out", "emoclip")
    assert not (tmp_path / "out").exists()


@torch.no_grad()
@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch.jit is on its way out
@pytest.mark.parametrize("form", ["pickle", "safetensors", "torchscript"])
def test_openai_clip_in_every_form(tmp_path, clips, form):
    state = clip_state()
    if form == "pickle":
        file = saved(tmp_path / "clip.pt", state)
    elif form == "safetensors":
        file = tmp_path / "clip.safetensors"
        save_file(state, file)
    else:
        file = tmp_path / "ViT.pt"
        holder = torch.jit.script(Archive(state))
        holder.save(str(file))
    config = convert(file, tmp_path / "out", "openai-clip")
    model = load_folder(tmp_path / "out").model
    assert config.temporal.kind == "mean"
    assert config.towers.quick_gelu
    frames = direct_frames(state, clips.flatten(0, 1), "visual.").reshape(2, 5, JOINT)
    torch.testing.assert_close(model.encode_video(clips), frames.mean(1), atol=1e-5, rtol=1e-5)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    torch.testing.assert_close(
        model.encode_video(clips, mask)[1], frames[1, :2].mean(0), atol=1e-5, rtol=1e-5
    )
    assert model.logit_scale.item() == pytest.approx(4.5)


class Archive(torch.nn.Module):
    """A module that holds tensors under CLIP's dotted names, as OpenAI's archives do."""

    def __init__(self, state):
        super().__init__()
        for name, tensor in state.items():
            *path, last = name.split(".")
            owner = self
            for part in path:
                if part not in owner._modules:
                    owner.add_module(part, Empty())
                owner = owner._modules[part]
            owner.register_parameter(last, torch.nn.Parameter(tensor))
        for name in ("input_resolution", "context_length", "vocab_size"):
            self.register_buffer(name, torch.tensor(77))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class Empty(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def test_half_precision_stays_exact(tmp_path):
    state = {n: t.half() if t.ndim > 1 else t for n, t in clip_state().items()}
    convert(saved(tmp_path / "clip.pt", state), tmp_path / "out", "openai-clip")
    kept = load_folder(tmp_path / "out").model.state_dict()
    assert kept["towers.visual.proj"].dtype == torch.float16
    assert torch.equal(kept["towers.visual.proj"], state["visual.proj"])
    model = load_folder(tmp_path / "out", dtype=torch.float32).model
    model.encode_video(torch.randn(1, 2, 3, SIDE, SIDE))


@torch.no_grad()
def test_farl(tmp_path, clips):
    state = clip_state()
    extra = {"visual.mask_token": rand(WIDTH), "visual.lm_head.weight": rand(30, WIDTH)}
    file = saved(tmp_path / "farl.pth", {**state, **extra}, nested="state_dict")
    config = convert(file, tmp_path / "out", "farl")
    assert config.info["left_out"] == sorted(extra)
    frames = direct_frames(state, clips[:, 0], "visual.")
    model = load_folder(tmp_path / "out").model
    torch.testing.assert_close(model.encode_frames(clips[:, 0]), frames, atol=1e-5, rtol=1e-5)
    with pytest.raises(CheckpointError, match=r"unknown tensors: visual\.lm_head\.weight"):
        convert(file, tmp_path / "out2", "openai-clip")


def test_a_resnet_is_refused(tmp_path):
    state = {**clip_state(), "visual.layer1.0.conv1.weight": rand(4, 4, 1, 1)}
    with pytest.raises(CheckpointError, match="ResNet"):
        encoder_state_from_openai(state)


class Harmful:
    def __reduce__(self):
        return (print, ("code ran",))


def test_pickled_code_does_not_run(tmp_path, capsys):
    file = tmp_path / "a.pth"
    torch.save({**downstream_file(), "x": Harmful()}, file)
    with pytest.raises(CheckpointError, match=r"a\.pth.*could run any code"):
        convert(file, tmp_path / "out", "emoclip")
    assert "code ran" not in capsys.readouterr().out


def test_files_that_are_no_state_dict(tmp_path):
    file = tmp_path / "a.pth"
    with pytest.raises(CheckpointError, match="no such file"):
        convert(file, tmp_path / "out", "emoclip")
    torch.save([torch.zeros(1)], file)
    with pytest.raises(CheckpointError, match="expected a state dict, found list"):
        convert(file, tmp_path / "out", "emoclip")
    torch.save({"epoch": 3}, file)
    with pytest.raises(CheckpointError, match="no tensors: epoch"):
        convert(file, tmp_path / "out", "emoclip")
    torch.save({"weight": torch.zeros(1)}, file)
    with pytest.raises(CheckpointError, match=r"visual\.conv1\.weight is missing.*begins with"):
        convert(file, tmp_path / "out", "farl")
    data = saved(file, downstream_file()).read_bytes()
    for broken in (data[: len(data) // 2], b"", b"<html>not found</html>"):
        file.write_bytes(broken)
        with pytest.raises(CheckpointError, match=r"a\.pth: broken"):
            convert(file, tmp_path / "out", "emoclip")


def test_unknown_source(tmp_path):
    with pytest.raises(CheckpointError, match="emoclip, farl, openai-clip"):
        convert(tmp_path, tmp_path, "blip")
