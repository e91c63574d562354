// One call to a server, with the deadline that the first argument names: what the runtime is given must be found again in the report.
package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

const limit = 3 * time.Second

func get(client *http.Client, ctx context.Context, address string) {
	request, err := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/", nil)
	if err != nil {
		panic(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, answer.Body)
}

func raw(address string, deadline bool) {
	c, err := net.DialTimeout("tcp", address, 2*time.Second)
	if err != nil {
		panic(err)
	}
	if deadline {
		c.SetDeadline(time.Now().Add(limit))
	}
	io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	io.Copy(io.Discard, c)
}

func main() {
	how, address := os.Args[1], os.Args[2]
	plain := &http.Client{}
	switch how {
	case "nothing":
		get(plain, context.Background(), address)
	case "ticker":
		time.NewTicker(100 * time.Millisecond)
		get(plain, context.WithValue(context.Background(), "key", 1), address)
	case "client":
		get(&http.Client{Timeout: limit}, context.Background(), address)
	case "context":
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		inner, also := context.WithCancel(context.WithValue(ctx, "key", 1))
		defer also()
		done := make(chan bool)
		go func() { get(plain, inner, address); done <- true }()
		<-done
	case "header":
		get(&http.Client{Transport: &http.Transport{ResponseHeaderTimeout: limit}}, context.Background(), address)
	case "beside":
		done := make(chan bool)
		go func() { get(plain, context.Background(), address); done <- true }()
		select {
		case <-done:
		case <-time.After(limit):
		}
	case "unused": // a context that the call does not get
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		_ = ctx
		get(plain, context.Background(), address)
	case "connection":
		raw(address, true)
	case "dial":
		raw(address, false)
	}
}
