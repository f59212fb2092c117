package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	feed, err := http.Get(os.Getenv("MOODSTREAM_PAGE") + "/api/v1/events?type=MoodChanged") // http://127.0.0.1:8080
	if err != nil {
		log.Fatal(err)
	}
	name, lines := "", bufio.NewScanner(feed.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		var event map[string]any
		if field == "event" {
			name = value
		} else if field == "data" && name == "MoodChanged" && json.Unmarshal([]byte(value), &event) == nil {
			fmt.Println(event["phase"], event["mood"], event["confidence"])
		}
	}
}
