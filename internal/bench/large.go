package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

const (
	largeMB   = 200
	largeKey  = "large"
	partSize  = 8 << 20
	atOnce    = 4 // parts
	maxMemory = 100
)

// largeBench moves an object with the SDK, as whoever trains models does.
type largeBench struct {
	content []byte
	rounds  int
}

func newLarge(megabytes, rounds int) largeBench {
	random := rand.NewChaCha8([32]byte{})
	b := largeBench{make([]byte, megabytes*1e6), rounds}
	_, _ = random.Read(b.content) // never fails
	return b
}

// measureLarge uploads an object of 200 MB in parts, beside a file written and
// synced, and downloads it, beside a bare server's file. Last is the most memory
// that the cloud ever had meanwhile, beside 100 MB.
func measureLarge(ctx context.Context, l lab) ([]result, error) {
	return newLarge(largeMB, rounds).run(ctx, l)
}

func (b largeBench) run(ctx context.Context, l lab) ([]result, error) {
	return beside(ctx, l, func(c *localCloud, bare *child, dir string) ([]result, error) {
		file := filepath.Join(dir, largeKey)
		up, disk, err := b.inTurns(l, "up", func() error { return b.upload(ctx, c) }, func() error { return b.write(file) })
		if err != nil {
			return nil, err
		}
		if err := b.putWhole(ctx, c); err != nil {
			return nil, err
		}
		down, net, err := b.inTurns(l, "down", func() error { return b.download(ctx, c) }, func() error { return b.fetch(ctx, bare) })
		if err != nil {
			return nil, err
		}
		memory, err := c.peak()
		return []result{
			{name: "-up", ours: up, peer: disk, unit: "MB/s", least: 0.15, floor: 150},
			{name: "-down", ours: down, peer: net, unit: "MB/s", least: 0.3, floor: 300},
			{name: "-memory", ours: memory, peer: maxMemory, unit: "MB", most: 1},
		}, err
	})
}

// inTurns gives the medians in MB a second.
func (b largeBench) inTurns(l lab, what string, ours, peer func() error) (mine, theirs float64, err error) {
	timed := func(move func() error) func() (time.Duration, error) {
		return func() (time.Duration, error) {
			begin := time.Now()
			err := move()
			return time.Since(begin), err
		}
	}
	if _, _, err := inTurns(1, timed(ours), timed(peer)); err != nil {
		return 0, 0, err
	}
	a, p, err := inTurns(b.rounds, timed(ours), timed(peer))
	if err != nil {
		return 0, 0, err
	}
	megabytes := float64(len(b.content)) / 1e6
	mine, theirs = megabytes/median(a)*1000, megabytes/median(p)*1000
	l.say("large: %s: %.0f MB/s beside %.0f MB/s", what, mine, theirs)
	return mine, theirs, nil
}

func (b largeBench) upload(ctx context.Context, c *localCloud) error {
	in, err := c.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String(bucket), Key: aws.String(largeKey)})
	if err != nil {
		return err
	}
	pieces := slices.Collect(slices.Chunk(b.content, partSize))
	parts := make([]types.CompletedPart, len(pieces))
	g, sending := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, piece := range pieces {
		g.Go(func() error {
			number := aws.Int32(int32(i + 1)) //nolint:gosec // there are a few dozen
			out, err := c.s3.UploadPart(sending, &s3.UploadPartInput{Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId, PartNumber: number, Body: bytes.NewReader(piece)})
			if err == nil {
				parts[i] = types.CompletedPart{PartNumber: number, ETag: out.ETag}
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	_, err = c.s3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	return err
}

// putWhole sends the object in one request, for the memory that it may cost.
func (b largeBench) putWhole(ctx context.Context, c *localCloud) error {
	_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(largeKey), Body: bytes.NewReader(b.content)})
	return err
}

func (b largeBench) write(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = f.Write(b.content)
	return errors.Join(err, f.Sync(), f.Close())
}

func (b largeBench) download(ctx context.Context, c *localCloud) error {
	out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(largeKey)})
	if err != nil {
		return err
	}
	return errors.Join(b.compare(out.Body), out.Body.Close())
}

func (b largeBench) fetch(ctx context.Context, bare *child) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, bare.url()+"/"+largeKey, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return errors.Join(b.compare(resp.Body), resp.Body.Close())
}

// compare reads a body to its end and holds that it is the content.
func (b largeBench) compare(body io.Reader) error {
	rest, buffer := b.content, make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		if n > len(rest) || !bytes.Equal(buffer[:n], rest[:n]) {
			return fmt.Errorf("byte %d and what follows are not those that were sent", len(b.content)-len(rest))
		}
		if rest = rest[n:]; err == io.EOF && len(rest) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
