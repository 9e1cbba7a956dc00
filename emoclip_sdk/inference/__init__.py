"""From frames to records: the reader (one pass over a video), windows, the scorer, the model."""
