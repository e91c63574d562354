// The standard library's slog, to stdout and to a file, and zap to a file.
package main

import (
	"log/slog"
	"os"

	"go.uber.org/zap"
)

func main() {
	card := os.Args[1]
	file, err := os.OpenFile("slog.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	for _, to := range []*os.File{os.Stdout, file} {
		log := slog.New(slog.NewJSONHandler(to, nil))
		for i := 0; i < 3; i++ {
			log.Warn("declined", "card", card)
		}
	}
	config := zap.NewProductionConfig()
	config.OutputPaths = []string{"zap.log"}
	log, err := config.Build()
	if err != nil {
		panic(err)
	}
	for i := 0; i < 3; i++ {
		log.Error("declined", zap.String("card", card))
	}
	_ = log.Sync()
}
