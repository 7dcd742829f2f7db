package traffic

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"steward/internal/cloud"
)

// Truth says how what really happened is delivered.
type Truth struct {
	URI   string        // S3 prefix for CSV files key,label; "" delivers none
	Key   string        // name of the id's column in them
	Delay time.Duration // between an answer and its truth
	Land  string        // S3 prefix for the labelled rows as Parquet; "" lands none
}

// Times between two files: truth comes often, new data in fewer, larger files.
const (
	truthEvery = time.Second
	landEvery  = 10 * time.Second
)

// settle is how long files may still take once the replay was interrupted.
const settle = 10 * time.Second

// due is a row whose truth is known at a time.
type due struct {
	row  int
	id   string
	from time.Time
}

// delivery writes the files of one replay.
type delivery struct {
	Truth
	ctx     context.Context
	failed  func() // called at the first file that could not be written
	rows    *Rows
	objects *cloud.Objects
	meter   *meter
	stamp   string // of this replay, in every file's name

	mu      sync.Mutex
	waiting []due // in order of from

	land   []int // rows whose truth was delivered, not landed yet
	landed time.Time
	files  int

	closing chan struct{}
	done    chan error
}

// start delivers until finish is called, or tells failed that it cannot.
func (t Truth) start(ctx context.Context, failed func(), rows *Rows, objects *cloud.Objects, meter *meter) *delivery {
	now := time.Now()
	d := &delivery{
		Truth: t, ctx: ctx, failed: failed, rows: rows, objects: objects, meter: meter, landed: now,
		stamp: now.UTC().Format("20060102T150405.000000"), closing: make(chan struct{}), done: make(chan error, 1),
	}
	go func() { d.done <- d.run() }()
	return d
}

// add notes that a row was answered now.
func (d *delivery) add(row int, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting = append(d.waiting, due{row, id, time.Now().Add(d.Delay)})
}

// finish returns when everything that is due has been delivered.
func (d *delivery) finish() error {
	close(d.closing)
	return <-d.done
}

// run delivers what is due, every second. After finish was called it waits for
// the last row's time, unless the replay was interrupted. An interrupt does not
// cut off a file that is being written: its rows were taken and would be lost.
func (d *delivery) run() error {
	writing, cancel := context.WithCancel(context.WithoutCancel(d.ctx))
	defer cancel()
	defer context.AfterFunc(d.ctx, func() { time.AfterFunc(settle, cancel) })()
	ticker := time.NewTicker(truthEvery)
	defer ticker.Stop()
	for {
		select {
		case <-d.ctx.Done():
			<-d.closing // rows may still be added before
			return d.deliver(writing, d.take(time.Time{}), true)
		case <-ticker.C:
		}
		last := false
		select {
		case <-d.closing:
			last = d.over()
		default:
		}
		if err := d.deliver(writing, d.take(time.Now()), last); err != nil {
			d.failed()
			<-d.closing
			return err
		}
		if last {
			return nil
		}
	}
}

// over tells whether everything that waits is due.
func (d *delivery) over() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(d.waiting)
	return n == 0 || !d.waiting[n-1].from.After(time.Now())
}

// take removes and returns what is due at an instant; with the zero time, all.
func (d *delivery) take(at time.Time) []due {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for n < len(d.waiting) && (at.IsZero() || !d.waiting[n].from.After(at)) {
		n++
	}
	taken := d.waiting[:n:n]
	d.waiting = d.waiting[n:]
	return taken
}

// deliver writes the truth of rows and, now and then or at last, lands them.
func (d *delivery) deliver(ctx context.Context, rows []due, last bool) error {
	err := d.deliverTruth(ctx, rows)
	if d.Land != "" && len(d.land) > 0 && (last || time.Since(d.landed) >= landEvery) {
		err = errors.Join(err, d.landRows(ctx))
	}
	return err
}

func (d *delivery) deliverTruth(ctx context.Context, rows []due) error {
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	records := [][]string{{d.Key, d.rows.selection.Label}}
	for _, r := range rows {
		if label, ok := d.rows.Truth(r.row); ok {
			records = append(records, []string{r.id, label})
			d.land = append(d.land, r.row)
		}
	}
	if len(records) == 1 || d.URI == "" {
		return nil
	}
	if err := w.WriteAll(records); err != nil {
		return fmt.Errorf("ground truth: %w", err)
	}
	if err := d.objects.Put(ctx, d.name(d.URI, "csv"), file.Bytes()); err != nil {
		return fmt.Errorf("ground truth: %w", err)
	}
	d.meter.delivered(len(records)-1, 0)
	return nil
}

func (d *delivery) landRows(ctx context.Context) error {
	file, err := d.rows.Parquet(d.land)
	if err != nil {
		return fmt.Errorf("land rows: %w", err)
	}
	if err := d.objects.Put(ctx, d.name(d.Land, "parquet"), file); err != nil {
		return fmt.Errorf("land rows: %w", err)
	}
	d.meter.delivered(0, len(d.land))
	d.land, d.landed = nil, time.Now()
	return nil
}

// name is that of a new file: no two replays, and no two files of one, share one.
func (d *delivery) name(prefix, extension string) string {
	d.files++
	return fmt.Sprintf("%s/%s-%06d.%s", strings.TrimRight(prefix, "/"), d.stamp, d.files, extension)
}
