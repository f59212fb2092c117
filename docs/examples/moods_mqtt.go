// go mod init moods && go mod tidy && go run moods_mqtt.go
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

func main() {
	broker := strings.Replace(os.Getenv("MOODSTREAM_MQTT_URL"), "mqtt:", "tcp:", 1) // tcp://127.0.0.1:1883
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker))
	if done := client.Connect(); done.Wait() && done.Error() != nil {
		log.Fatal(done.Error())
	}
	client.Subscribe("moodstream/+/state", 0, func(_ mqtt.Client, message mqtt.Message) {
		var state map[string]any
		if json.Unmarshal(message.Payload(), &state) == nil { // empty: the camera is gone
			fmt.Println(state["phase"], state["mood"], state["confidence"])
		}
	})
	select {}
}
