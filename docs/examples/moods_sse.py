import json, os, urllib.request

page = os.environ.get("MOODSTREAM_PAGE", "http://127.0.0.1:8080")
name = ""
for line in urllib.request.urlopen(f"{page}/api/v1/events?type=MoodChanged"):
    field, _, value = line.decode().strip().partition(": ")
    if field == "event":
        name = value
    elif field == "data" and name == "MoodChanged":
        event = json.loads(value)
        print(event["phase"], event["mood"], event["confidence"], flush=True)
