// A service for proof mode, in Go: `order PORT DEPENDENCY_PORT` answers GET /order/N with what its dependency says, which it asks on a new
// connection each time and gives two seconds ("bounded"), or for ever ("endless").
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if os.Args[1] == "bounded" {
		client.Timeout = 2 * time.Second
	}
	http.HandleFunc("/order/", func(w http.ResponseWriter, r *http.Request) {
		answer, err := client.Get("http://127.0.0.1:" + os.Args[3] + r.URL.Path)
		if err != nil {
			w.WriteHeader(502)
			return
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		w.WriteHeader(answer.StatusCode)
	})
	if err := http.ListenAndServe("127.0.0.1:"+os.Args[2], nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
