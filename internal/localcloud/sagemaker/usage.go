package sagemaker

import (
	"fmt"

	"steward/internal/localcloud/process"
)

// jobMetrics is the namespace of the metrics of training jobs' instances: see
// "Monitor Amazon SageMaker with Amazon CloudWatch" in the developer guide.
const jobMetrics = "/aws/sagemaker/TrainingJobs"

// measure publishes what the container of a job's host has used: CPUUtilization
// in percent of one processor, on average over the run, and MemoryUtilization in
// percent of the machine's memory, at most.
func (s *Service) measure(job string, host int, exit process.Exit) {
	dimensions := map[string]string{"Host": fmt.Sprintf("%s/algo-%d", job, host+1)}
	if took := exit.Ended.Sub(exit.Started).Seconds(); took > 0 {
		s.cfg.Metrics.Record(jobMetrics, "CPUUtilization", dimensions, 100*exit.CPUSeconds/took, exit.Ended)
	}
	if memory := process.Memory(); memory > 0 {
		s.cfg.Metrics.Record(jobMetrics, "MemoryUtilization", dimensions, 100*float64(exit.MaxRSS)/float64(memory), exit.Ended)
	}
}
