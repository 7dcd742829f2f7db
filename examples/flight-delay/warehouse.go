package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"steward/internal/dataset"
)

// bucket and prefix are the source that model.yaml names.
const (
	bucket = "demo"
	prefix = "flights/"
)

// history are the months that the model first learns from; march is when the
// world has changed.
var history = []int{1, 2}

const march = 3

// warehouse is the airline's: it holds all flights and exports labelled ones as
// Parquet files to S3.
type warehouse struct {
	s3     *s3.Client
	schema dataset.Schema
	months map[int][]flight
}

// flight is one row of a batch.
type flight struct {
	batch *dataset.Batch
	row   int
}

// openWarehouse reads the flights of some months, each month in a random order.
func openWarehouse(ctx context.Context, o options, env map[string]string, months ...int) (*warehouse, error) {
	w := &warehouse{months: map[int][]flight{}, s3: s3.New(s3.Options{
		BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL"]), Region: env["AWS_REGION"],
		Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], ""),
	})}
	wanted := map[int]bool{}
	for _, m := range months {
		wanted[m] = true
	}
	err := dataset.Read(ctx, dataset.File(filepath.Join(o.folder, "data", "flights_2001h1.parquet")), nil, func(b *dataset.Batch) error {
		w.schema = b.Schema
		col, err := b.Schema.Index("month")
		if err != nil {
			return err
		}
		var kept []int
		for row, m := range b.Numbers(col) {
			if wanted[int(m)] {
				kept = append(kept, row)
			}
		}
		own := b.Take(kept)
		for row, m := range own.Numbers(col) {
			w.months[int(m)] = append(w.months[int(m)], flight{own, row})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(o.seed, 2001))
	for _, m := range months {
		random.Shuffle(len(w.months[m]), func(i, j int) { w.months[m][i], w.months[m][j] = w.months[m][j], w.months[m][i] })
	}
	_, err = w.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	return w, err
}

// parquet encodes flights.
func (w *warehouse) parquet(flights []flight) ([]byte, error) {
	var out bytes.Buffer
	pw := dataset.NewParquetWriter(&out, w.schema)
	rows := map[*dataset.Batch][]int{}
	var order []*dataset.Batch
	for _, f := range flights {
		if rows[f.batch] == nil {
			order = append(order, f.batch)
		}
		rows[f.batch] = append(rows[f.batch], f.row)
	}
	for _, b := range order {
		if err := pw.Write(b, rows[b]); err != nil {
			return nil, err
		}
	}
	if err := pw.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// export puts flights into the model's source.
func (w *warehouse) export(ctx context.Context, name string, flights []flight) error {
	raw, err := w.parquet(flights)
	if err != nil {
		return err
	}
	key := prefix + name + ".parquet"
	_, err = w.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: bytes.NewReader(raw)})
	if err != nil {
		return err
	}
	fmt.Printf("  warehouse: %d flights to s3://%s/%s\n", len(flights), bucket, key)
	return nil
}

// exportHistory puts a share of the history's flights into the model's source.
func (w *warehouse) exportHistory(ctx context.Context, share float64) error {
	for _, month := range history {
		flights := w.months[month]
		if err := w.export(ctx, fmt.Sprintf("2001-%02d", month), flights[:int(float64(len(flights))*share)]); err != nil {
			return err
		}
	}
	return nil
}

// keep writes flights to a local file, for `steward traffic` to replay.
func (w *warehouse) keep(name string, flights []flight) error {
	raw, err := w.parquet(flights)
	if err != nil {
		return err
	}
	return os.WriteFile(name, raw, 0o600)
}
