import json, os, redis

client, last = redis.Redis.from_url(os.environ.get("MOODSTREAM_REDIS_URL", "redis://127.0.0.1:6379")), "$"
while True:
    for _, entries in client.xread({"mood:moods": last}, block=2000) or []:
        for last, fields in entries:
            event = json.loads(fields[b"__data__"])
            print(event["phase"], event["mood"], event["confidence"], flush=True)
