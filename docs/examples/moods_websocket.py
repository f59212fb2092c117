import json, os
from websockets.sync.client import connect  # pip install websockets

page = os.environ.get("MOODSTREAM_PAGE", "http://127.0.0.1:8080")
with connect(page.replace("http", "ws", 1) + "/api/v1/events/ws?type=MoodChanged") as feed:
    for text in feed:
        message = json.loads(text)
        if message["event"] == "MoodChanged":
            event = message["data"]
            print(event["phase"], event["mood"], event["confidence"], flush=True)
