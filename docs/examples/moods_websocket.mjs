import WebSocket from "ws"; // npm install ws; Node 22 and browsers have their own
const page = process.env.MOODSTREAM_PAGE ?? "http://127.0.0.1:8080";
const feed = new WebSocket(`${page.replace("http", "ws")}/api/v1/events/ws?type=MoodChanged`);
feed.onmessage = ({ data }) => {
  const { event: name, data: event } = JSON.parse(data);
  if (name === "MoodChanged") console.log(event.phase, event.mood, event.confidence);
};
