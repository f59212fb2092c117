import { createClient } from "redis"; // npm install redis
const client = createClient({ url: process.env.MOODSTREAM_REDIS_URL ?? "redis://127.0.0.1:6379" });
await client.connect();
for (let last = "$"; ; ) {
  for (const { messages } of (await client.xRead({ key: "mood:moods", id: last }, { BLOCK: 0 })) ?? []) {
    for (const { id, message } of messages) {
      last = id;
      const event = JSON.parse(message.__data__);
      console.log(event.phase, event.mood, event.confidence);
    }
  }
}
