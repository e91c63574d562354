// A client and a server that speak HTTPS by Go's own TLS: https client URL… | https server PORT.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

func main() {
	if os.Args[1] == "server" {
		http.HandleFunc("/x/", func(w http.ResponseWriter, r *http.Request) {
			status, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/x/"))
			w.WriteHeader(status)
			io.WriteString(w, "abc")
		})
		fmt.Fprintln(os.Stderr, http.ListenAndServeTLS("127.0.0.1:"+os.Args[2], "cert.pem", "key.pem", nil))
		os.Exit(1)
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: os.Args[1] == "client2",
	}}
	fmt.Println("on")
	fmt.Scanln()
	for _, url := range os.Args[2:] {
		answer, err := client.Get(url)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		fmt.Println(string(body))
	}
}
