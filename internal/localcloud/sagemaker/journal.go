package sagemaker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Logs takes what containers write to their log files into streams of
// CloudWatch Logs, from Follow to Settle, and over restarts.
type Logs interface {
	Follow(group, stream, file string) error
	Settle(files ...string) error
	Followed() []string
}

// The log groups of jobs, and what those of endpoints begin with: see "Log
// groups and streams" in the SageMaker developer guide.
const (
	logGroups      = "/aws/sagemaker/"
	trainingLogs   = logGroups + "TrainingJobs"
	processingLogs = logGroups + "ProcessingJobs"
	batchLogs      = logGroups + "TransformJobs"
	endpointLogs   = logGroups + "Endpoints/"
)

// journal names the log of one container: a stream of CloudWatch Logs, and the
// file that the stream is copied from.
type journal struct{ group, stream string }

// file is where the container writes: logs/<group>/<stream>.log.
func (s *Service) file(j journal) string {
	return filepath.Join(s.cfg.Dir, "logs", strings.TrimPrefix(j.group, logGroups), filepath.FromSlash(j.stream)+".log")
}

// follow makes the stream and begins to copy the file into it.
func (s *Service) follow(j journal) error {
	file := s.file(j)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil || s.cfg.Logs == nil {
		return err
	}
	return s.cfg.Logs.Follow(j.group, j.stream, file)
}

// settle copies the rest of the logs of containers that have ended.
func (s *Service) settle(files ...string) {
	if s.cfg.Logs == nil {
		return
	}
	if err := s.cfg.Logs.Settle(files...); err != nil {
		s.log.Error("the end of a log is not in CloudWatch Logs", "files", files, "error", err)
	}
}

// orphaned lists the logs that an earlier service left followed and that nobody
// takes up: those of model servers, which ended with it.
func (s *Service) orphaned() (files []string) {
	if s.cfg.Logs == nil {
		return nil
	}
	for _, f := range s.cfg.Logs.Followed() {
		in, err := filepath.Rel(filepath.Join(s.cfg.Dir, "logs"), f)
		kind, _, _ := strings.Cut(filepath.ToSlash(in), "/")
		if err == nil && (kind == "Endpoints" || kind == "TransformJobs") {
			files = append(files, f)
		}
	}
	return files
}

// newInstance makes the id of an instance that a model server runs on, as EC2
// has them.
func newInstance() string { return "i-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:17] }

func endpointJournal(endpoint, variant string) journal {
	return journal{endpointLogs + endpoint, variant + "/" + newInstance()}
}

func batchJournal(job string) journal {
	return journal{batchLogs, fmt.Sprintf("%s/%s-%d", job, newInstance(), time.Now().Unix())}
}

// logPage is where AWS shows a group, as it words it in messages.
func (s *Service) logPage(group string) string {
	return fmt.Sprintf("https://%s.console.aws.amazon.com/cloudwatch/home?region=%s#logEventViewer:group=%s in account %s",
		s.cfg.Region, s.cfg.Region, group, s.cfg.Account)
}

// logARN names a group.
func (s *Service) logARN(group string) string {
	return fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s", s.cfg.Region, s.cfg.Account, group)
}
