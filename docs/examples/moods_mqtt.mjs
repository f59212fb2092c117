import mqtt from "mqtt"; // npm install mqtt
const client = mqtt.connect(process.env.MOODSTREAM_MQTT_URL ?? "mqtt://127.0.0.1:1883");
client.subscribe("moodstream/+/state");
client.on("message", (topic, payload) => {
  if (!payload.length) return; // the camera is gone
  const state = JSON.parse(payload);
  console.log(state.phase, state.mood, state.confidence);
});
