package telemetry

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// Logger writes to w from level on: text when w is a terminal, JSON lines else.
func Logger(w io.Writer, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
