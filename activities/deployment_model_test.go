package activities

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// init lets the test binary play the containers of the image test/model, which
// the local cloud starts as "<binary> test/model serve".
func init() {
	if len(os.Args) == 3 && os.Args[1] == "test/model" {
		if err := playModel(os.Args[2]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// playModel serves a model whose score for a row is its first column. The
// file model.txt of the artifact says how: "good", "crash" (never comes up),
// "off" (answers 0.25 too much) or "broken" (answers 500).
func playModel(command string) error {
	if command != "serve" {
		return fmt.Errorf("this image only serves; it was asked to %s", command)
	}
	raw, err := os.ReadFile(filepath.Join(os.Getenv("SAGEMAKER_BASE_DIR"), "model", "model.txt"))
	if err != nil {
		return err
	}
	mode := string(raw)
	if mode == "crash" {
		return fmt.Errorf("this model cannot be loaded")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /invocations", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		if mode == "broken" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		for rows := bufio.NewScanner(r.Body); rows.Scan(); {
			first, _, _ := strings.Cut(rows.Text(), ",")
			score, _ := strconv.ParseFloat(first, 64)
			if mode == "off" {
				score += 0.25
			}
			_, _ = fmt.Fprintln(w, score)
		}
	})
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("SAGEMAKER_BIND_TO_PORT"), Handler: mux}
	go func() { <-stop; _ = server.Close() }()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}
