"""A video over time, as a table, episodes and files: python examples/over_time.py [VIDEO [FOLDER]]

Needs the extra "plot".
"""

import sys
from pathlib import Path

from emoclip_sdk import EmoCLIP

video = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("portrait.mp4")
folder = Path(sys.argv[2] if len(sys.argv) > 2 else ".")
model = EmoCLIP.from_pretrained()
timeline = model.timeline(video, ["neutral", "happiness", "boredom"], window=1.0, step=0.5)

print(timeline.to_pandas()[["track", "start", "end", "label", "score:happiness"]])
for face in timeline.summary():
    shares = ", ".join(f"{label} {share:.0%}" for label, share in face.shares.items())
    print(f"face {face.track}, {face.seconds:.1f} s in view: {shares}")
for episode in timeline.episodes(threshold=0.5):
    print(f"{episode.label} from {episode.onset:.1f} to {episode.offset:.1f} s")

for name in ("timeline.csv", "timeline.eaf", "timeline.vtt"):
    timeline.save(folder / name)
timeline.plot(folder / "timeline.png")
