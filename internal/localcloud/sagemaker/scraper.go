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

// scraper finds a training job's metrics in its log. It reads on from where it
// was whenever somebody asks, so a running job shows its present values.
type scraper struct {
	mu      sync.Mutex
	file    string
	offset  int64
	begun   []byte // of a line whose end was not read yet
	defs    []types.MetricDefinition
	regexps []*regexp.Regexp
	values  []*types.MetricData // by definition; nil until seen
	heard   func(float32)       // hears every value, if set
	last    string              // last line that is not empty
	err     error
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

// follow forgets everything and reads another log from its beginning.
func (s *scraper) follow(file string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.file = file
	s.offset, s.begun, s.last, s.err = 0, nil, "", nil
	clear(s.values)
}

// lastLine is the end of what was read.
func (s *scraper) lastLine() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err.Error()
	}
	return s.last
}

// readOn takes in what the log has gained.
func (s *scraper) readOn() error {
	if s.file == "" {
		return nil // it runs not yet
	}
	f, err := os.Open(s.file)
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
	r := bufio.NewReaderSize(io.NewSectionReader(f, s.offset, info.Size()-s.offset), maxLogLine)
	for {
		c, err := r.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.offset++
		s.take(c, info.ModTime().UTC())
	}
}

// take adds one byte of the log. A carriage return ends a line too: progress
// bars write nothing else.
func (s *scraper) take(c byte, at time.Time) {
	switch {
	case c == '\n' || c == '\r':
		s.line(bytes.TrimSpace(s.begun), at)
		s.begun = s.begun[:0]
	case len(s.begun) < maxLogLine:
		s.begun = append(s.begun, c)
	}
}

func (s *scraper) line(line []byte, at time.Time) {
	if bytes.HasPrefix(line, []byte(process.UsageMark)) {
		return // not the container's
	}
	if len(line) > 0 {
		s.last = string(line)
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
