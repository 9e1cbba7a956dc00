"""What is drawn on a frame."""

from __future__ import annotations

from emoclip_sdk.export.overlay import Overlay


def test_labels_of_faces_side_by_side_do_not_overlap(detecting_model, two_faces):
    timeline = detecting_model.timeline(two_faces, ["a rather long name of a label"], fps=10)
    overlay = Overlay(timeline, (128, 72))
    chips = []
    for box in [(10, 10, 60, 60), (20, 12, 70, 60), (200, 0, 260, 80), (0, 270, 90, 287)]:
        x, y = overlay._free_place(box, (180, 20), chips, [])
        rect = (x, y, x + 180, y + 20)
        assert x >= 0 and rect[2] <= 128 * 4 and y >= 0 and rect[3] <= 72 * 4
        assert all(
            rect[2] <= o[0] or o[2] <= rect[0] or rect[3] <= o[1] or o[3] <= rect[1] for o in chips
        )
        chips.append(rect)
