// go mod init moods && go mod tidy && go run moods_group.go
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/gomodule/redigo/redis"
)

func main() {
	client, err := redis.DialURL(os.Getenv("MOODSTREAM_REDIS_URL")) // redis://127.0.0.1:6379
	if err != nil {
		log.Fatal(err)
	}
	client.Do("XGROUP", "CREATE", "mood:moods", "lights", "$", "MKSTREAM") // refused where it is there
	for {                                                                  // as many of these as you like share the work; give each its own name
		streams, err := redis.Values(client.Do("XREADGROUP", "GROUP", "lights", "worker-1", "BLOCK", 2000, "STREAMS", "mood:moods", ">"))
		if err != nil && err != redis.ErrNil {
			log.Fatal(err)
		}
		for _, stream := range streams {
			entries, _ := redis.Values(stream.([]any)[1], nil)
			for _, entry := range entries {
				var event struct {
					Phase, Mood string
					Confidence  float64
				}
				fields, _ := redis.StringMap(entry.([]any)[1], nil)
				if err := json.Unmarshal([]byte(fields["__data__"]), &event); err != nil {
					log.Fatal(err)
				}
				fmt.Println(event.Phase, event.Mood, event.Confidence)
				client.Do("XACK", "mood:moods", "lights", entry.([]any)[0])
			}
		}
	}
}
