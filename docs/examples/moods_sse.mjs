const page = process.env.MOODSTREAM_PAGE ?? "http://127.0.0.1:8080";
const feed = await fetch(`${page}/api/v1/events?type=MoodChanged`);
let text = "";
for await (const part of feed.body.pipeThrough(new TextDecoderStream())) {
  const messages = (text + part).split("\n\n");
  text = messages.pop();
  for (const message of messages) {
    const [, name, data] = message.match(/^event: (.*)\ndata: (.*)$/m) ?? [];
    if (name !== "MoodChanged") continue;
    const event = JSON.parse(data);
    console.log(event.phase, event.mood, event.confidence);
  }
}
