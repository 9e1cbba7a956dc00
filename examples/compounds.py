"""Labels of your own and compound emotions: python examples/compounds.py [VIDEO]"""

import sys
from pathlib import Path

from emoclip_sdk import EmoCLIP

video = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("portrait.mp4")
model = EmoCLIP.from_pretrained()

# A description says what the face does. It names no emotion and no other part of the body.
model.add_label("stage smile", "A wide closed-lipped smile, held still, while the eyes stay even")
# A compound is the mean of its parts' text embeddings (eq. 2 of the paper); parts may have weights.
model.add_compound("bittersweet", {"happiness": 1.0, "sadness": 2.0})

labels = ["happiness", "happily surprised", "bittersweet", "stage smile", "boredom", "seasick"]
result = model.classify(video, labels=labels)
for label, score in result.top(len(labels)):
    cosine = result.similarities[label]
    print(f"{label:<18} score {score:.2f}  cosine {cosine:.2f}  from: {result.prompts[label]}")
