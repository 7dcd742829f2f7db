package sagemaker

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/process"
)

// maxLogLine is how much of a line is looked at, in bytes; the rest is dropped.
const maxLogLine = 64 << 10

// scraper finds a training job's metrics in the logs of its hosts. It reads on
// from where it was whenever somebody asks, so a running job shows its present
// values.
type scraper struct {
	mu      sync.Mutex
	logs    []*tail
	defs    []types.MetricDefinition
	regexps []*regexp.Regexp
	values  []*types.MetricData // by definition; nil until seen
	heard   func(float32)       // hears every value, if set
	err     error
}

// tail is one log, read so far.
type tail struct {
	file   string
	offset int64
	begun  []byte // of a line whose end was not read yet
	last   string // last line that is not empty
}

func newScraper(defs []types.MetricDefinition) *scraper {
	s := &scraper{defs: defs, values: make([]*types.MetricData, len(defs))}
	for _, d := range defs {
		s.regexps = append(s.regexps, regexp.MustCompile(*d.Regex)) // checked when the job was created
	}
	return s
}

// read returns the last value of every metric seen so far.
func (s *scraper) read() []types.MetricData {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = s.readOn()
	var list []types.MetricData
	for _, v := range s.values {
		if v != nil {
			list = append(list, *v)
		}
	}
	return list
}

// follow reads other logs from their beginning. The values stay until there are
// new ones.
func (s *scraper) follow(files ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs, s.err = nil, nil
	for _, f := range files {
		s.logs = append(s.logs, &tail{file: f})
	}
}

// lastLine is the end of what was read of one log.
func (s *scraper) lastLine(log int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return s.err.Error()
	case log >= len(s.logs):
		return ""
	}
	return s.logs[log].last
}

// readOn takes in what the logs have gained.
func (s *scraper) readOn() error {
	var errs []error
	for _, t := range s.logs {
		errs = append(errs, s.readLog(t))
	}
	return errors.Join(errs...)
}

func (s *scraper) readLog(t *tail) error {
	f, err := os.Open(t.file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, t.offset, info.Size()-t.offset), maxLogLine)
	for {
		c, err := r.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		t.offset++
		s.take(t, c, info.ModTime().UTC())
	}
}

// take adds one byte of a log. A carriage return ends a line too: progress
// bars write nothing else.
func (s *scraper) take(t *tail, c byte, at time.Time) {
	switch {
	case c == '\n' || c == '\r':
		s.line(t, bytes.TrimSpace(t.begun), at)
		t.begun = t.begun[:0]
	case len(t.begun) < maxLogLine:
		t.begun = append(t.begun, c)
	}
}

func (s *scraper) line(t *tail, line []byte, at time.Time) {
	if bytes.HasPrefix(line, []byte(process.UsageMark)) {
		return // not the container's
	}
	if len(line) > 0 {
		t.last = string(line)
	}
	for i, re := range s.regexps {
		m := re.FindSubmatch(line)
		if m == nil {
			continue
		}
		v, err := strconv.ParseFloat(string(m[1]), 32)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			continue // not a number: SageMaker ignores it too
		}
		if s.heard != nil {
			s.heard(float32(v))
		}
		s.values[i] = &types.MetricData{MetricName: s.defs[i].Name, Value: aws.Float32(float32(v)), Timestamp: &at}
	}
}
