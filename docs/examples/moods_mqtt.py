import json, os
from urllib.parse import urlsplit
import paho.mqtt.client as mqtt  # pip install paho-mqtt

def show(client, userdata, message):
    if message.payload:  # empty: the camera is gone
        state = json.loads(message.payload)
        print(state["phase"], state["mood"], state["confidence"], flush=True)

broker = urlsplit(os.environ.get("MOODSTREAM_MQTT_URL", "mqtt://127.0.0.1:1883"))
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_message = show
client.connect(broker.hostname, broker.port)
client.subscribe("moodstream/+/state")
client.loop_forever()
