import json, os, redis

client = redis.Redis.from_url(os.environ.get("MOODSTREAM_REDIS_URL", "redis://127.0.0.1:6379"))
if not client.exists("mood:moods") or b"lights" not in [one["name"] for one in client.xinfo_groups("mood:moods")]:
    client.xgroup_create("mood:moods", "lights", id="$", mkstream=True)
while True:  # as many of these as you like share the work; give each its own name
    for _, entries in client.xreadgroup("lights", "worker-1", {"mood:moods": ">"}, count=10, block=2000) or []:
        for entry, fields in entries:
            event = json.loads(fields[b"__data__"])
            print(event["phase"], event["mood"], event["confidence"], flush=True)
            client.xack("mood:moods", "lights", entry)
