package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"strings"
)

func main() {
	server, err := net.ListenPacket("udp4", "127.0.0.1:"+os.Getenv("PORT")) // 9000
	if err != nil {
		log.Fatal(err)
	}
	for message := make([]byte, 1500); ; {
		size, _, err := server.ReadFrom(message)
		if err != nil {
			log.Fatal(err)
		}
		words := strings.FieldsFunc(string(message[:size]), func(one rune) bool { return one == 0 })
		if len(words) == 3 && words[0] == "/mood" && words[1] == ",s" {
			fmt.Println(words[2])
		}
	}
}
