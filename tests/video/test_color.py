"""Colors of decoded frames against the formulas of the standards."""

from __future__ import annotations

import av
import numpy as np
import pytest
from colors import FULL, HLG, LIMITED, LUMA, PQ, codes, frame, hlg, in_high_range, pq

from emoclip_sdk.video import open_video
from emoclip_sdk.video.color import frame_rgb


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


def test_a_matrix_that_is_not_read_is_named() -> None:
    picture = frame(codes(colorful(), 5, LIMITED, 8), 8, 14)
    with pytest.raises(ValueError, match="ICtCp is not read"):
        frame_rgb(picture, picture.width)


@pytest.mark.parametrize("transfer", [HLG, PQ])
def test_what_was_put_into_high_dynamic_range_comes_out_as_it_was(transfer) -> None:
    rgb = colorful()
    signal = in_high_range(rgb, transfer)
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
    signal = in_high_range(rgb, PQ)
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
