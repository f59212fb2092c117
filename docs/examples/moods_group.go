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
	if err == nil {
		client.Do("XGROUP", "CREATE", "mood:moods", "lights", "$", "MKSTREAM") // refused where it is there
	}
	for err == nil { // as many of these as you like share the work; give each its own name
		var streams []any
		if streams, err = redis.Values(client.Do("XREADGROUP", "GROUP", "lights", "worker-1", "COUNT", 1, "BLOCK", 0, "STREAMS", "mood:moods", ">")); err == nil {
			entry := streams[0].([]any)[1].([]any)[0].([]any) // its id and its fields
			fields, _ := redis.StringMap(entry[1], nil)
			var event map[string]any
			err = json.Unmarshal([]byte(fields["__data__"]), &event)
			fmt.Println(event["phase"], event["mood"], event["confidence"])
			client.Do("XACK", "mood:moods", "lights", entry[0])
		}
	}
	log.Fatal(err)
}
