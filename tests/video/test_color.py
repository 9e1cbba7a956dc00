"""Colors of decoded frames against the formulas of the standards."""

from __future__ import annotations

import av
import numpy as np
import pytest

from emoclip_sdk.video import open_video
from emoclip_sdk.video.color import HLG, PQ, frame_rgb

LUMA = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
LIMITED, FULL = 1, 2
# Red, green and blue as light: BT.709 to BT.2020, BT.2087, table 2.
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


def codes(rgb, matrix, color_range, bits):
    """Return Y, Cb, Cr of a picture 0..1, by BT.601, 709 and 2020 (E'Y and their quantization)."""
    kr, kb = LUMA[matrix]
    r, g, b = np.moveaxis(rgb, -1, 0)
    y = kr * r + (1 - kr - kb) * g + kb * b
    cb, cr = (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))
    step = 2 ** (bits - 8)
    if color_range == FULL:
        most = 2**bits - 1
        planes = [most * y, most * cb + 128 * step, most * cr + 128 * step]
    else:
        planes = [(219 * y + 16) * step, (224 * cb + 128) * step, (224 * cr + 128) * step]
    return np.rint(planes).astype(np.uint8 if bits == 8 else np.uint16)


def frame(planes, bits, matrix=2, color_range=0, transfer=2, primaries=2):
    picture = av.VideoFrame(
        planes.shape[2], planes.shape[1], "yuv444p" if bits == 8 else "yuv444p10le"
    )
    for plane, values in zip(picture.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size // values.itemsize), values.dtype)
        rows[:, : values.shape[1]] = values
        plane.update(rows.tobytes())
    picture.colorspace, picture.color_range = matrix, color_range
    picture.color_trc, picture.color_primaries = transfer, primaries
    return picture


def colorful(width=48, height=40):
    """A picture 0..1 with all hues, dark and light."""
    y, x = np.mgrid[:height, :width]
    hue = x / width * 2 * np.pi
    shade = 0.1 + 0.6 * y / height
    phases = np.array([0, 2.1, 4.2])
    return shade[..., None] * (1 + 0.3 * np.cos(hue[..., None] + phases))


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("color_range", [LIMITED, FULL])
def test_matrix_and_range(bits, color_range) -> None:
    rgb = colorful()
    for matrix in LUMA:
        picture = frame(codes(rgb, matrix, color_range, bits), bits, matrix, color_range)
        error = np.abs(frame_rgb(picture, picture.width) - 255 * rgb)
        assert error.mean() < 1.2 and error.max() < 5, matrix


def test_a_frame_that_says_nothing_is_bt601_limited() -> None:
    rgb = colorful()
    for unspecified in (2, 3, 200):  # 3 is reserved, of 200 nobody has heard
        picture = frame(codes(rgb, 5, LIMITED, 8), 8, unspecified)
        assert np.abs(frame_rgb(picture, picture.width) - 255 * rgb).mean() < 1.2


def hlg(light):
    """Light in cd/m2 to HLG, by BT.2100, table 5, for a display of 1000 cd/m2."""
    luminance = light @ [0.2627, 0.6780, 0.0593] / 1000
    scene = light / 1000 * np.maximum(luminance, 1e-9)[..., None] ** (1 / 1.2 - 1)
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


def pq(light):
    """Light in cd/m2 to PQ, by BT.2100, table 4."""
    power = (light / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


@pytest.mark.parametrize(("transfer", "encode"), [(HLG, hlg), (PQ, pq)])
def test_a_picture_that_was_put_into_high_dynamic_range_comes_out_as_it_was(
    transfer, encode
) -> None:
    # Standard range in HDR by BT.2408: as a BT.1886 display shows it, white at 203 cd/m2.
    rgb = colorful()
    signal = encode(np.maximum(203 * rgb**2.4 @ TO_BT2020.T, 0))
    picture = frame(codes(signal, 9, LIMITED, 10), 10, 9, LIMITED, transfer, 9)
    error = np.abs(frame_rgb(picture, picture.width) - 255 * rgb)
    assert error.mean() < 1.5 and error.max() < 8


@pytest.mark.parametrize(("transfer", "encode"), [(HLG, hlg), (PQ, pq)])
def test_highlights_are_kept_apart(transfer, encode) -> None:
    light = np.array([0.0, 100, 160, 203, 400, 700, 1000])
    signal = encode(np.repeat(light[None, :, None], 3, axis=2))
    picture = frame(codes(signal, 9, LIMITED, 10), 10, 9, LIMITED, transfer, 9)
    levels = frame_rgb(picture, picture.width)[0].mean(axis=-1)
    assert (np.diff(levels) >= 1).all()
    assert levels[0] < 2 and 235 < levels[3] < 250 and levels[-1] > 252


def test_transfer_in_a_file_counts(tmp_path) -> None:
    rgb = colorful()
    signal = pq(np.maximum(203 * rgb**2.4 @ TO_BT2020.T, 0))
    picture = frame(codes(signal, 9, LIMITED, 10), 10, 9, LIMITED, PQ, 9)
    with av.open(str(tmp_path / "pq.mkv"), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv444p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries = PQ, 9
        context.colorspace, context.color_range = 9, LIMITED
        out.mux(stream.encode(picture))
        out.mux(stream.encode())
    shown = next(open_video(tmp_path / "pq.mkv").frames()).rgb
    assert np.abs(shown - 255 * rgb).mean() < 1.5
