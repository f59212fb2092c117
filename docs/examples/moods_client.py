import os
from moodstream.client import iter_moods

for mood in iter_moods(os.environ.get("MOODSTREAM_PAGE", "http://127.0.0.1:8080")):
    print(mood.phase, mood.mood, mood.confidence, flush=True)
