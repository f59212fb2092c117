import { createClient } from "redis"; // npm install redis
import { randomUUID } from "node:crypto";
const client = createClient({ url: process.env.MOODSTREAM_REDIS_URL ?? "redis://127.0.0.1:6379" });
await client.connect();
const request = { id: randomUUID(), kind: "songs.offer", body: { mood: "calm" } };
let last = (await client.xRevRange("mood:replies", "+", "-", { COUNT: 1 }))[0]?.id ?? "0";
await client.xAdd("mood:requests", "*", { __data__: JSON.stringify(request) });
for (let reply; reply?.request_id !== request.id; ) {
  const streams = await client.xRead({ key: "mood:replies", id: last }, { COUNT: 1, BLOCK: 2000 });
  if (!streams) throw new Error("nobody answered");
  last = streams[0].messages[0].id;
  reply = JSON.parse(streams[0].messages[0].message.__data__);
  if (reply.request_id === request.id) console.log(reply.error ?? `${reply.result.mood} ${reply.result.songs[0].title}`);
}
await client.quit();
