import { createServer } from "node:http";
import { createHmac, timingSafeEqual } from "node:crypto";
const key = Buffer.from(process.env.SECRET.replace("whsec_", ""), "base64");
createServer(async (request, response) => {
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signatures } = request.headers;
  const body = Buffer.concat(await request.toArray());
  const wanted = createHmac("sha256", key).update(`${id}.${at}.`).update(body).digest();
  const given = signatures.split(" ").map((one) => Buffer.from(one.replace("v1,", ""), "base64"));
  const right = given.some((one) => one.length === 32 && timingSafeEqual(one, wanted));
  response.writeHead(right && Math.abs(Date.now() / 1000 - at) < 300 ? 204 : 401).end();
  if (!right) return;
  const event = JSON.parse(body).data;
  console.log(event.phase, event.mood, event.confidence);
}).listen(process.env.PORT ?? 9100, "127.0.0.1");
