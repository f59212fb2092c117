// go mod init moods && go mod tidy && go run moods_websocket.go
package main

import (
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/gorilla/websocket"
)

func main() {
	page := strings.Replace(os.Getenv("MOODSTREAM_PAGE"), "http", "ws", 1) // ws://127.0.0.1:8080
	feed, _, err := websocket.DefaultDialer.Dial(page+"/api/v1/events/ws?type=MoodChanged", nil)
	for err == nil {
		var message struct {
			Event string
			Data  map[string]any
		}
		if err = feed.ReadJSON(&message); err == nil && message.Event == "MoodChanged" {
			fmt.Println(message.Data["phase"], message.Data["mood"], message.Data["confidence"])
		}
	}
	log.Fatal(err)
}
