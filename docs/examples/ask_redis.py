import json, os, redis, uuid

client = redis.Redis.from_url(os.environ.get("MOODSTREAM_REDIS_URL", "redis://127.0.0.1:6379"))

def replies(last):
    while answer := client.xread({"mood:replies": last}, block=2000):
        for last, fields in answer[0][1]:
            yield json.loads(fields[b"__data__"])

newest = client.xrevrange("mood:replies", count=1)
request = {"id": str(uuid.uuid4()), "kind": "songs.offer", "body": {"mood": "calm"}}
client.xadd("mood:requests", {"__data__": json.dumps(request)})
for reply in replies(newest[0][0] if newest else "0"):
    if reply["request_id"] == request["id"]:
        print(reply["error"] or reply["result"]["mood"] + " " + reply["result"]["songs"][0]["title"])
        break
else:
    print("nobody answered")
