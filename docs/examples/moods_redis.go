// go mod init moods && go mod tidy && go run moods_redis.go
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/gomodule/redigo/redis"
)

func main() {
	server, last := os.Getenv("MOODSTREAM_REDIS_URL"), "$"
	if server == "" {
		server = "redis://127.0.0.1:6379"
	}
	client, err := redis.DialURL(server)
	if err != nil {
		log.Fatal(err)
	}
	for {
		streams, err := redis.Values(client.Do("XREAD", "BLOCK", 0, "STREAMS", "mood:moods", last))
		if err != nil {
			log.Fatal(err)
		}
		entries, _ := redis.Values(streams[0].([]any)[1], nil)
		for _, entry := range entries {
			last, _ = redis.String(entry.([]any)[0], nil)
			fields, _ := redis.StringMap(entry.([]any)[1], nil)
			var event struct {
				Phase, Mood string
				Confidence  float64
			}
			if err := json.Unmarshal([]byte(fields["__data__"]), &event); err != nil {
				log.Fatal(err)
			}
			fmt.Println(event.Phase, event.Mood, event.Confidence)
		}
	}
}
