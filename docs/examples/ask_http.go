package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	answer, err := http.Get(os.Getenv("MOODSTREAM_PAGE") + "/api/v1/songs/offer?mood=calm") // http://127.0.0.1:8080
	if err != nil {
		log.Fatal(err)
	}
	var reply struct {
		Error  string
		Result struct {
			Mood  string
			Songs []struct{ Title string }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&reply); err != nil || reply.Error != "" {
		log.Fatal(reply.Error, err)
	}
	fmt.Println(reply.Result.Mood, reply.Result.Songs[0].Title)
}
