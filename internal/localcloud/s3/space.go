package s3

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"syscall"

	"github.com/rclone/gofakes3"
)

// full are the words for a file system that takes no more: it has no room, the
// quota is used up, or files may not grow. bbolt passes on the words alone.
var full = []string{syscall.ENOSPC.Error(), syscall.EDQUOT.Error(), syscall.EFBIG.Error()}

// explained words an error that is not the client's. A disk without room is
// InternalError: S3 has no code of its own for what does not happen to it, and
// this one every SDK repeats, so that work goes on when there is room again.
func explained(err error) error {
	if _, known := errors.AsType[gofakes3.Error](err); known {
		return err
	}
	if err != nil && slices.ContainsFunc(full, func(words string) bool { return strings.Contains(err.Error(), words) }) {
		return refuse(http.StatusInternalServerError, gofakes3.ErrInternal, "the local cloud's disk is full, and nothing was stored; make room on it: %v", err)
	}
	return err
}
