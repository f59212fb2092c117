import { createClient } from "redis"; // npm install redis
const client = createClient({ url: process.env.MOODSTREAM_REDIS_URL ?? "redis://127.0.0.1:6379" });
await client.connect();
await client.xGroupCreate("mood:moods", "lights", "$", { MKSTREAM: true }).catch(() => {}); // it is there
for (;;) { // as many of these as you like share the work; give each its own name
  const streams = await client.xReadGroup("lights", "worker-1", { key: "mood:moods", id: ">" }, { COUNT: 10, BLOCK: 2000 });
  for (const { id, message } of streams?.[0].messages ?? []) {
    const event = JSON.parse(message.__data__);
    console.log(event.phase, event.mood, event.confidence);
    await client.xAck("mood:moods", "lights", id);
  }
}
