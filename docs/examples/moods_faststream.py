import asyncio, os
from faststream import FastStream
from faststream.redis import RedisBroker, StreamSub

broker = RedisBroker(os.environ.get("MOODSTREAM_REDIS_URL", "redis://127.0.0.1:6379"))

@broker.subscriber(stream=StreamSub("mood:moods", last_id="$"))
async def mood_changed(event: dict):
    print(event["phase"], event["mood"], event["confidence"], flush=True)

asyncio.run(FastStream(broker).run())
