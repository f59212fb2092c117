package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("SECRET"), "whsec_"))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		made := hmac.New(sha256.New, key)
		fmt.Fprintf(made, "%s.%s.%s", request.Header.Get("webhook-id"), request.Header.Get("webhook-timestamp"), body)
		wanted := "v1," + base64.StdEncoding.EncodeToString(made.Sum(nil))
		for _, signature := range strings.Fields(request.Header.Get("webhook-signature")) {
			if hmac.Equal([]byte(signature), []byte(wanted)) { // refuse old timestamps, too, where a repetition would do harm
				var message struct{ Data map[string]any }
				json.Unmarshal(body, &message)
				fmt.Println(message.Data["phase"], message.Data["mood"], message.Data["confidence"])
				answer.WriteHeader(http.StatusNoContent)
				return
			}
		}
		answer.WriteHeader(http.StatusUnauthorized)
	})))
}
