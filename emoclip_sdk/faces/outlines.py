"""Lines to draw between landmarks: MediaPipe's face mesh contours."""

from __future__ import annotations

__all__ = ["EYES", "OUTLINES"]

EYES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7, 33),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249, 263),
)  # fmt: skip
"""Landmarks around the right and the left eye."""

OUTLINES = (
    # the face
    (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
     148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10),
    # right and left brow, upper and lower edge
    (70, 63, 105, 66, 107),
    (46, 53, 52, 65, 55),
    (300, 293, 334, 296, 336),
    (276, 283, 282, 295, 285),
    # right and left eye and iris
    *EYES,
    (469, 470, 471, 472, 469),
    (474, 475, 476, 477, 474),
    # lips, outer and inner edge
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146, 61),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95, 78),
)  # fmt: skip
"""Landmarks of each line, in order; right and left are the subject's."""
