// go mod init moods && go get github.com/redis/go-redis/v9 && go run moods.go
package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/redis/go-redis/v9"
)

func main() {
	ctx, last := context.Background(), "$"
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379"})
	for {
		answer, err := client.XRead(ctx, &redis.XReadArgs{Streams: []string{"mood:moods", last}}).Result()
		if err != nil {
			panic(err)
		}
		for _, message := range answer[0].Messages {
			last = message.ID
			var event struct {
				Phase, Mood string
				Confidence  float64
			}
			if err := json.Unmarshal([]byte(message.Values["__data__"].(string)), &event); err != nil {
				panic(err)
			}
			fmt.Println(event.Phase, event.Mood, event.Confidence)
		}
	}
}
