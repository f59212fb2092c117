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
	client, err := redis.DialURL(os.Getenv("MOODSTREAM_REDIS_URL")) // redis://127.0.0.1:6379
	for last := "$"; err == nil; {
		var streams []any
		if streams, err = redis.Values(client.Do("XREAD", "COUNT", 1, "BLOCK", 0, "STREAMS", "mood:moods", last)); err == nil {
			entry := streams[0].([]any)[1].([]any)[0].([]any) // its id and its fields
			last = string(entry[0].([]byte))
			fields, _ := redis.StringMap(entry[1], nil)
			var event map[string]any
			err = json.Unmarshal([]byte(fields["__data__"]), &event)
			fmt.Println(event["phase"], event["mood"], event["confidence"])
		}
	}
	log.Fatal(err)
}
