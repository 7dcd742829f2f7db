package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"golang.org/x/sync/errgroup"
)

// training is the request for a job on what is below s3://bench/rows/. With
// nothing there, it fails before it has cost a process.
func training(name string) *sagemaker.CreateTrainingJobInput {
	return &sagemaker.CreateTrainingJobInput{
		TrainingJobName: &name, RoleArn: aws.String("arn:aws:iam::000000000000:role/bench"),
		AlgorithmSpecification: &types.AlgorithmSpecification{TrainingImage: aws.String(image), TrainingInputMode: types.TrainingInputModeFile},
		HyperParameters:        map[string]string{"task": "regression"},
		InputDataConfig: []types.Channel{{ChannelName: aws.String("train"), ContentType: aws.String("text/csv"),
			DataSource: &types.DataSource{S3DataSource: &types.S3DataSource{S3DataType: types.S3DataTypeS3Prefix, S3Uri: aws.String("s3://" + bucket + "/rows/")}}}},
		OutputDataConfig:  &types.OutputDataConfig{S3OutputPath: aws.String("s3://" + bucket + "/models")},
		ResourceConfig:    &types.ResourceConfig{InstanceType: types.TrainingInstanceTypeMlM5Large, InstanceCount: aws.Int32(1), VolumeSizeInGB: aws.Int32(1)},
		StoppingCondition: &types.StoppingCondition{MaxRuntimeInSeconds: aws.Int32(600)},
	}
}

// image is the one that the cases train and serve.
const image = "steward/trees"

// ended waits until a job has ended.
func (c *localCloud) ended(ctx context.Context, job string) (out *sagemaker.DescribeTrainingJobOutput, err error) {
	err = settled(ctx, func() (bool, error) {
		out, err = c.sm.DescribeTrainingJob(ctx, &sagemaker.DescribeTrainingJobInput{TrainingJobName: &job})
		return err == nil && out.TrainingEndTime != nil, err
	})
	return out, err
}

// measureDescribe asks for one training job. The peer is a bare server that
// answers with the same bytes.
func measureDescribe(ctx context.Context, l lab) ([]result, error) {
	return beside(ctx, l, func(c *localCloud, bare *child, dir string) ([]result, error) {
		if _, err := c.sm.CreateTrainingJob(ctx, training("described")); err != nil {
			return nil, err
		}
		if _, err := c.ended(ctx, "described"); err != nil {
			return nil, err
		}
		ask, err := c.operation(ctx, "DescribeTrainingJob", map[string]any{"TrainingJobName": "described"})
		if err != nil {
			return nil, err
		}
		answer, err := ask.send(ctx, c.client)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, "described"), answer, 0o600); err != nil {
			return nil, err
		}
		same := ask
		same.url = bare.url() + "/described"
		mine, theirs, err := compare(ctx, l, "describe", sending(c.client, ask), sending(c.client, same))
		return []result{{ours: mine.rate, peer: theirs.rate, unit: "/s", least: 0.2, floor: 2000}}, err
	})
}

// operation is a signed request of SageMaker.
func (c *localCloud) operation(ctx context.Context, name string, input map[string]any) (message, error) {
	body, err := json.Marshal(input)
	if err != nil {
		return message{}, err
	}
	return c.signed(ctx, "sagemaker", http.MethodPost, "/", body,
		http.Header{"X-Amz-Target": {"SageMaker." + name}, "Content-Type": {"application/x-amz-json-1.1"}})
}

// listBench lists many stored jobs by pages of 100.
type listBench struct{ few, many, passes int }

// listing is what it takes to list all jobs.
type listing struct {
	megabytes float64 // the most memory of its own that the cloud was seen to have, in a life without anything else
	page      float64 // ms, the median of all pages
}

// run compares the memory of the cloud, and the time of a page, with that for a
// tenth of the jobs.
func (b listBench) run(ctx context.Context, l lab) ([]result, error) {
	if err := b.fill(ctx, l, 0, b.few); err != nil {
		return nil, err
	}
	few, err := b.list(ctx, l, b.few)
	if err != nil {
		return nil, err
	}
	if err := b.fill(ctx, l, b.few, b.many); err != nil {
		return nil, err
	}
	many, err := b.list(ctx, l, b.many)
	return []result{
		{name: "-memory", ours: many.megabytes, peer: few.megabytes, unit: "MB", most: 1.25},
		{name: "-page", ours: many.page, peer: few.page, unit: "ms", most: 2},
	}, err
}

// fill makes jobs that end at once.
func (b listBench) fill(ctx context.Context, l lab, from, to int) (err error) {
	c, err := startCloud(ctx, l)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	begin := time.Now()
	g, creating := errgroup.WithContext(ctx)
	g.SetLimit(clients)
	for n := from; n < to; n++ {
		g.Go(func() error {
			_, err := c.sm.CreateTrainingJob(creating, training(fmt.Sprint("listed-", n)))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	l.say("list: %d jobs made in %.1f s", to-from, time.Since(begin).Seconds())
	return settled(ctx, func() (bool, error) {
		list, err := c.sm.ListTrainingJobs(ctx, &sagemaker.ListTrainingJobsInput{StatusEquals: types.TrainingJobStatusInProgress})
		return err == nil && len(list.TrainingJobSummaries) == 0, err
	})
}

// list lists all, again and again, in a life of its own. Pages of the database
// that the system keeps in its cache do not count: it may drop them.
func (b listBench) list(ctx context.Context, l lab, all int) (_ listing, err error) {
	c, err := startCloud(ctx, l)
	if err != nil {
		return listing{}, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	var took []float64
	most := 0.0
	for range b.passes {
		found := 0
		pages := sagemaker.NewListTrainingJobsPaginator(c.sm, &sagemaker.ListTrainingJobsInput{MaxResults: aws.Int32(100)})
		for pages.HasMorePages() {
			begin := time.Now()
			page, err := pages.NextPage(ctx)
			if err != nil {
				return listing{}, err
			}
			took = append(took, milliseconds(time.Since(begin)))
			found += len(page.TrainingJobSummaries)
			now, err := c.own()
			if err != nil {
				return listing{}, err
			}
			most = max(most, now)
		}
		if found != all {
			return listing{}, fmt.Errorf("%d of %d jobs are listed", found, all)
		}
	}
	l.say("list: %d jobs: %.1f MB, %.2f ms a page", all, most, median(took))
	return listing{most, median(took)}, nil
}
