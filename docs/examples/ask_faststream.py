import asyncio, os, uuid
from faststream import FastStream
from faststream.redis import RedisBroker, StreamSub

broker = RedisBroker(os.environ.get("MOODSTREAM_REDIS_URL", "redis://127.0.0.1:6379"))
app = FastStream(broker)
asked = str(uuid.uuid4())

@broker.subscriber(stream=StreamSub("mood:replies", last_id="0"))
async def replied(reply: dict):
    if reply["request_id"] == asked:
        print(reply["error"] or f"{reply['result']['mood']} {reply['result']['songs'][0]['title']}", flush=True)
        app.exit()

@app.after_startup
async def ask():
    question = {"kind": "songs.offer", "body": {"mood": "calm"}}
    await broker.publish(question, stream="mood:requests", correlation_id=asked)

asyncio.run(app.run())
