"""Read a clip with the embedded model: python examples/quickstart.py [VIDEO]"""

import sys
from pathlib import Path

from emoclip_sdk import EmoCLIP

video = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("portrait.mp4")
model = EmoCLIP.from_pretrained()

result = model.classify(video)
if not result.face_found:
    sys.exit(f"{result.source}: no face")
print(f"{result.source}: {result.answer}, {result.n_tracks} face(s), {result.n_frames} frames")
for label, score in result.top(3):
    print(f"  {label:<12} score {score:.2f}  cosine {result.similarities[label]:.2f}")

for row in model.timeline(video, window=1.0, step=0.5):
    print(f"  {row.start:4.1f} to {row.end:4.1f} s  {row.label}")
