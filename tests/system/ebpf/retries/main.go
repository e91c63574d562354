// One client whose retries are a library's: retries LIBRARY PORT PATH. Says what the library is set to, as programs/retry_library.py does.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/hashicorp/go-retryablehttp"
)

var url string

func tell(attempts int, delay func(k int) time.Duration) {
	delays := [][2]float64{}
	for k := 1; k < attempts; k++ {
		least, most := 1e9, 0.0
		for i := 0; i < 300; i++ {
			d := delay(k).Seconds()
			least, most = min(least, d), max(most, d)
		}
		delays = append(delays, [2]float64{least, most})
	}
	line, _ := json.Marshal(map[string]any{"attempts": attempts, "calls": 1, "delays": delays})
	fmt.Println(string(line))
}

func ask() error {
	answer, err := http.Get(url)
	if err != nil {
		return err
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	if answer.StatusCode >= 400 {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

func byRetryable(wait retryablehttp.Backoff, least, most time.Duration) error {
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.RetryMax = 4
	client.RetryWaitMin = least
	client.RetryWaitMax = most
	client.Backoff = wait
	tell(client.RetryMax+1, func(k int) time.Duration { return wait(client.RetryWaitMin, client.RetryWaitMax, k-1, nil) })
	_, err := client.Get(url)
	return err
}

func byBackoff(make func() backoff.BackOff, retries int) error {
	tell(retries+1, func(k int) time.Duration {
		fresh := make()
		for ; k > 1; k-- {
			fresh.NextBackOff()
		}
		return fresh.NextBackOff()
	})
	return backoff.Retry(ask, backoff.WithMaxRetries(make(), uint64(retries)))
}

func ms(n int) time.Duration {
	return time.Duration(n) * time.Millisecond
}

func exponential() backoff.BackOff {
	return backoff.NewExponentialBackOff(backoff.WithInitialInterval(ms(150)), backoff.WithMultiplier(2))
}

func constant() backoff.BackOff {
	return backoff.NewConstantBackOff(ms(200))
}

func main() {
	url = fmt.Sprintf("http://127.0.0.1:%s%s", os.Args[2], os.Args[3])
	libraries := map[string]func() error{
		"retryablehttp":        func() error { return byRetryable(retryablehttp.DefaultBackoff, ms(100), ms(2000)) },
		"retryablehttp_linear": func() error { return byRetryable(retryablehttp.LinearJitterBackoff, ms(150), ms(150)) },
		"cenkalti":             func() error { return byBackoff(exponential, 5) },
		"cenkalti_constant":    func() error { return byBackoff(constant, 5) },
	}
	log.Println(libraries[os.Args[1]]())
}
