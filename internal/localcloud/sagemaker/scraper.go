package sagemaker

import (
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
)

// scraper finds a training job's metrics in its log. It reads on from where it
// was whenever somebody asks, so a running job shows its present values.
type scraper struct {
	mu      sync.Mutex
	file    string
	offset  int64
	defs    []types.MetricDefinition
	regexps []*regexp.Regexp
	values  []*types.MetricData // by definition; nil until seen
	last    string              // last line that is not empty
	err     error
}

func newScraper(file string, defs []types.MetricDefinition) *scraper {
	s := &scraper{file: file, defs: defs, values: make([]*types.MetricData, len(defs))}
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

// reset forgets everything: the job starts over with a new log.
func (s *scraper) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset, s.last, s.err = 0, "", nil
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

// readOn takes in the whole lines that the log has gained.
func (s *scraper) readOn() error {
	f, err := os.Open(s.file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.NewSectionReader(f, s.offset, info.Size()-s.offset))
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	s.offset += int64(whole)
	for line := range bytes.Lines(data[:whole]) {
		s.line(bytes.TrimSpace(line), info.ModTime().UTC())
	}
	return nil
}

func (s *scraper) line(line []byte, at time.Time) {
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
		s.values[i] = &types.MetricData{MetricName: s.defs[i].Name, Value: aws.Float32(float32(v)), Timestamp: &at}
	}
}
