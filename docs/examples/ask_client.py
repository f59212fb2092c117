import asyncio, os
import moodstream

async def main():
    async with moodstream.Client(os.environ.get("MOODSTREAM_PAGE", "http://127.0.0.1:8080")) as client:
        offer = await client.offer("calm")
        print(offer.mood, offer.songs[0].title)
        for near in (await client.similar(offer.songs[0].id, n=5)).ranking:
            print(near.similarity, near.song.title, near.reason)

asyncio.run(main())
