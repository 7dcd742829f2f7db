package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
	"steward/internal/stats"
)

// Profiling has processing jobs profile data. Role is the ARN that they act as.
type Profiling struct {
	Jobs    *cloud.Jobs
	Objects *cloud.Objects
	Bucket  string
	Role    string
	Prices  cloud.Prices
}

// ProfilePart profiles the training part of a release by a processing job whose
// instances share its files, and adds up what they found, file by file in the
// order of their names: so the profile does not depend on who read which. A job
// that ran and failed is lifecycle.JobFailed with the reason.
func (p *Profiling) ProfilePart(ctx context.Context, in lifecycle.ProfileInput) (lifecycle.Profiled, error) {
	if _, err := p.Prices.Hour(in.Profiling.Instance); err != nil {
		return lifecycle.Profiled{}, err
	}
	job := cloud.ProcessingJob{
		Of: in.Of, Name: in.Job, Image: in.Profiling.Image, Instance: in.Profiling.Instance, Count: in.Profiling.Count, Role: p.Role,
		Inputs: []cloud.ProcessingInput{
			{Name: "columns", URI: in.Parts.Columns},
			{Name: "data", URI: in.Parts.Train.Train, Sharded: true},
		},
		Output: releaseURI(p.Bucket, in.Of, "profile/"), MaxRuntime: in.MaxRuntime.Std(),
	}
	ended, err := p.run(ctx, job)
	if err != nil {
		return lifecycle.Profiled{}, err
	}
	if err := completed("processing job", job.Name, ended); err != nil {
		return lifecycle.Profiled{}, err
	}
	whole, err := p.addUp(ctx, job.Output, in.Parts.Train)
	if err != nil {
		return lifecycle.Profiled{}, err
	}
	uri, err := putBaseline(ctx, p.Objects, p.Bucket, in.Of, whole)
	if err != nil {
		return lifecycle.Profiled{}, err
	}
	cost, err := p.Prices.Cost(job.Instance, ended.Billed)
	return lifecycle.Profiled{Baseline: uri, Cost: cost}, err
}

// run waits for the job. An error that a later attempt may mend leaves it for
// that attempt; any other, and a cancellation, leaves nothing that runs.
func (p *Profiling) run(ctx context.Context, job cloud.ProcessingJob) (cloud.Ended, error) {
	stop := func(ctx context.Context) error { return stopProcessing(ctx, p.Jobs, job.Name) }
	err := p.Jobs.StartProcessing(ctx, job)
	if cloud.Final(err) { // there is no job, or it is somebody else's
		return cloud.Ended{}, err
	}
	var ended cloud.Ended
	if err == nil {
		ended, err = p.Jobs.WaitProcessing(ctx, job.Name, beat(ctx))
	}
	switch {
	case cancelled(ctx):
		return ended, afterCancel(ctx, stop)
	case cloud.Final(err):
		return ended, afterFault(ctx, err, stop)
	}
	return ended, err
}

// addUp merges the profiles of the files of a part. A row that nobody profiled
// is lifecycle.JobFailed: a baseline of some of the data is none.
func (p *Profiling) addUp(ctx context.Context, profiles string, part lifecycle.Part) (*stats.Profile, error) {
	var whole *stats.Profile
	for o, err := range p.Objects.List(ctx, part.Train) {
		if err != nil {
			return nil, err
		}
		one, err := p.read(ctx, profiles+strings.TrimPrefix(o.URI, part.Train)+".json")
		if err != nil {
			return nil, err
		}
		if whole, err = mergeProfiles(whole, one); err != nil {
			return nil, lifecycle.Fail(lifecycle.JobFailed, "profiles in %s: %v", profiles, err)
		}
	}
	if whole == nil || whole.Rows != part.Rows {
		return nil, lifecycle.Fail(lifecycle.JobFailed, "profiles in %s do not cover the %d rows of the training part", profiles, part.Rows)
	}
	return whole, nil
}

func (p *Profiling) read(ctx context.Context, uri string) (*stats.Profile, error) {
	b, err := p.Objects.Get(ctx, uri)
	if errors.Is(err, cloud.ErrNotFound) {
		return nil, lifecycle.Fail(lifecycle.JobFailed, "the processing job left no profile %s", uri)
	}
	if err != nil {
		return nil, err
	}
	out := &stats.Profile{}
	if err := json.Unmarshal(b, out); err != nil {
		return nil, lifecycle.Fail(lifecycle.JobFailed, "profile %s: %v", uri, err)
	}
	return out, nil
}

// mergeProfiles adds b to a, which may be nil.
func mergeProfiles(a, b *stats.Profile) (*stats.Profile, error) {
	if a == nil {
		return b, nil
	}
	return stats.MergeProfiles(a, b)
}

// putBaseline stores what later windows are compared with.
func putBaseline(ctx context.Context, objects *cloud.Objects, bucket string, of lifecycle.Of, p *stats.Profile) (string, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("baseline: %w", err)
	}
	uri := releaseURI(bucket, of, "baseline.json")
	return uri, objects.Put(ctx, uri, b)
}
