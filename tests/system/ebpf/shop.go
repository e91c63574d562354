// The demo shop (tests/demo/shop.h) once more, in Go: `shop careless|careful PAYMENTS_PORT INVENTORY_PORT` takes orders until SIGTERM.
//
// careless has no deadline for what it asks of others, asks again for ever, at once, and logs what customers entrusted to it; careful gives
// every request a time, three attempts with growing pauses between them, and logs references.
package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

type shop struct {
	careful             bool
	client              *http.Client
	payments, inventory string
	orders              atomic.Uint32
}

func (s *shop) ask(method, address string, body []byte) int {
	request, err := http.NewRequest(method, address, bytes.NewReader(body))
	if err != nil {
		return -1
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return -1
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return answer.StatusCode
}

func (s *shop) reserve(item string) bool {
	address := "http://" + s.inventory + "/stock/" + url.PathEscape(item)
	if !s.careful {
		for s.ask("GET", address, nil) != 200 {
		}
		return true
	}
	pause := 20 * time.Millisecond
	for attempt := 0; attempt < 3; attempt++ {
		if s.ask("GET", address, nil) == 200 {
			return true
		}
		time.Sleep(pause + time.Duration(rand.Int63n(int64(pause))))
		pause *= 2
	}
	return false
}

func (s *shop) charge(order uint32) bool {
	return s.ask("POST", "http://"+s.payments+"/charge", fmt.Appendf(nil, "order=%d&amount=350", order)) == 200
}

//go:noinline
func (s *shop) logOrder(order uint32, form url.Values, outcome string) {
	if s.careful {
		fmt.Printf("INFO order %d: %s\n", order, outcome)
		return
	}
	fmt.Printf("INFO order %d for %s paid with card %s: %s\n", order, form.Get("email"), form.Get("card"), outcome)
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 4096))
	form, _ := url.ParseQuery(string(body))
	order := s.orders.Add(1)
	outcome := "done"
	if !s.reserve(form.Get("item")) {
		outcome = "not in stock"
	} else if !s.charge(order) {
		outcome = "not paid"
	}
	s.logOrder(order, form, outcome)
	if outcome != "done" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	fmt.Fprint(w, outcome)
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: shop careless|careful PAYMENTS_PORT INVENTORY_PORT")
		os.Exit(2)
	}
	s := &shop{careful: os.Args[1] == "careful", payments: "127.0.0.1:" + os.Args[2], inventory: "127.0.0.1:" + os.Args[3]}
	dialer := &net.Dialer{}
	s.client = &http.Client{}
	if s.careful {
		dialer.Timeout = 500 * time.Millisecond
		s.client.Timeout = 800 * time.Millisecond
	}
	s.client.Transport = &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := &http.Server{Handler: s}
	if s.careful {
		server.ReadTimeout, server.WriteTimeout, server.IdleTimeout = time.Second, 2*time.Second, time.Second
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go server.Serve(listener)
	fmt.Printf("listening on %d\n", listener.Addr().(*net.TCPAddr).Port)
	<-stop
}
