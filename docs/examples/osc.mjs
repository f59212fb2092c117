import { createSocket } from "node:dgram";
const server = createSocket("udp4");
server.on("message", (message) => {
  const [address, types, text] = message.toString().split(/\0+/);
  if (address === "/mood" && types === ",s") console.log(text);
});
server.bind(process.env.PORT ?? 9000, "127.0.0.1");
