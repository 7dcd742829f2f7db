package activities

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// joined counts what became of the predictions of a source.
type joined struct{ all, truthful, nameless, repeated, unread, foreign int64 }

func (j joined) String() string {
	text := fmt.Sprintf("coverage %.3f: %d of %d predictions have their truth", float64(j.truthful)/float64(max(1, j.all)), j.truthful, j.all)
	for _, left := range []struct {
		n    int64
		what string
	}{
		{j.nameless, "without an inference id of their own"}, {j.repeated, "of an inference id that came before"},
		{j.unread, "requests that could not be understood"}, {j.foreign, "of releases without these features"},
	} {
		if left.n > 0 {
			text += fmt.Sprintf("; %d %s", left.n, left.what)
		}
	}
	return text
}

// served makes rows of what the model was asked and of what really happened: a
// file for every version and day, with the inference id, the time of the
// request, the label and the features. Only requests that are older than ground
// truth needs to mature count, to the hour, so that those still waiting for it
// are not taken for those that never get it.
func (t *taking) served(ctx context.Context, source lifecycle.Source) ([]*foundFile, error) {
	root := captureURI(t.Bucket, t.in.Model) + "/" + lifecycle.EndpointName(t.in.Model) + "/"
	variants, err := t.Objects.Folders(ctx, root)
	if err != nil {
		return nil, err
	}
	to := time.Now().UTC().Add(-t.in.Data.GroundTruth.MatureAfter.Std()).Truncate(time.Hour)
	from := time.Time{}
	if source.Traffic.Last > 0 {
		from = to.Add(-source.Traffic.Last.Std())
	}
	var files []*foundFile
	var counts joined
	for _, variant := range variants {
		days, err := t.captureDays(ctx, root+variant+"/", from, to)
		if err != nil {
			return nil, err
		}
		for _, day := range days {
			window := lifecycle.Window{From: day, To: day.AddDate(0, 0, 1)}
			if window.From.Before(from) {
				window.From = from
			}
			if window.To.After(to) {
				window.To = to
			}
			f, err := t.servedIn(ctx, source, variant, window, &counts)
			if err != nil {
				return nil, err
			}
			if f != nil {
				files = append(files, f)
			}
		}
	}
	if len(files) == 0 {
		return nil, lifecycle.Fail(lifecycle.DataRejected, "source %s: no captured request before %s can be learned from: %s",
			source.Name, to.Format(time.RFC3339), counts)
	}
	t.notes[source.Name] = counts.String()
	return files, nil
}

// captureDays lists the days of a variant's captured traffic in a period.
func (t *taking) captureDays(ctx context.Context, root string, from, to time.Time) ([]time.Time, error) {
	paths := []string{""}
	for range 3 { // year, month, day
		var below []string
		for _, path := range paths {
			folders, err := t.Objects.Folders(ctx, root+path)
			if err != nil {
				return nil, err
			}
			for _, f := range folders {
				below = append(below, path+f+"/")
			}
		}
		paths = below
	}
	var days []time.Time
	for _, path := range paths {
		day, err := time.Parse("2006/01/02/", path)
		if err == nil && day.Before(to) && day.AddDate(0, 0, 1).After(from) {
			days = append(days, day)
		}
	}
	return days, nil
}

// servedIn joins one day of a variant's traffic. It is nil without rows.
func (t *taking) servedIn(ctx context.Context, source lifecycle.Source, variant string, window lifecycle.Window, counts *joined) (*foundFile, error) {
	release, err := strconv.Atoi(strings.TrimPrefix(variant, "r"))
	if err != nil {
		return nil, lifecycle.Fail(lifecycle.DataRejected, "source %s: captured traffic of %q is of no release", source.Name, variant)
	}
	parts, err := t.partsOf(ctx, release)
	if err != nil {
		return nil, err
	}
	in := lifecycle.MeasureInput{Of: t.in.Of, Data: t.in.Data, Window: window, Champion: lifecycle.Champion{Release: release, Parts: parts}}
	monitoring := &Monitoring{Objects: t.Objects, Bucket: t.Bucket}
	var rows []exchange
	wanted := map[string]int{}
	seen, err := monitoring.readCaptured(ctx, in, func(x exchange) {
		counts.all += int64(len(x.rows))
		if _, before := wanted[x.id]; x.id == "" {
			counts.nameless += int64(len(x.rows))
		} else if before {
			counts.repeated++
		} else {
			wanted[x.id] = len(rows)
			rows = append(rows, x)
		}
	})
	counts.unread += seen.Unread
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	for _, feature := range t.in.Data.Features {
		if !slices.Contains(parts.Features, feature) {
			counts.foreign += int64(len(rows))
			return nil, nil
		}
	}
	labels, _, err := monitoring.readTruths(ctx, in, wanted)
	if err != nil {
		return nil, err
	}
	f := &foundFile{snapshotFile: snapshotFile{Origin: source.Name, Seen: time.Now().UTC(), Format: dataset.CSV,
		Source: fmt.Sprintf("%s/%s/%s", source.Place(), variant, window.From.Format("2006-01-02"))}}
	learned, err := t.writeServed(f, parts, rows, labels)
	counts.truthful += learned
	if err != nil || learned == 0 {
		return nil, err
	}
	return f, nil
}

// partsOf reads of a release's evidence which features its requests have.
func (t *taking) partsOf(ctx context.Context, release int) (lifecycle.Parts, error) {
	uri := modelURI(t.Bucket, t.in.Model, fmt.Sprintf("evidence/%d/manifest.json", release))
	raw, err := t.Objects.Get(ctx, uri)
	if err != nil {
		return lifecycle.Parts{}, cloud.Wrap(err, "features of release %d", release)
	}
	var m lifecycle.Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return m.Parts, lifecycle.Fail(lifecycle.DataRejected, "features of release %d: %s: %v", release, uri, err)
	}
	return m.Parts, nil
}

// writeServed writes the rows whose truth is known. A feature that is a number is
// missing where a client sent something else, as monitoring takes it.
func (t *taking) writeServed(f *foundFile, parts lifecycle.Parts, rows []exchange, labels []float64) (n int64, err error) {
	file, err := os.CreateTemp(t.dir, "steward-traffic-*")
	if err != nil {
		return 0, err
	}
	f.local = file.Name()
	hash := sha256.New()
	out := csv.NewWriter(io.MultiWriter(file, hash))
	data := t.in.Data
	record := slices.Concat([]string{data.ID, data.Time, data.Label}, data.Features)
	err = out.Write(record)
	for i, x := range rows {
		if math.IsNaN(labels[i]) {
			continue
		}
		n++
		record[0], record[1], record[2] = x.id, x.at.UTC().Format(time.RFC3339Nano), strconv.FormatFloat(labels[i], 'g', -1, 64)
		for j, name := range data.Features {
			text := strings.TrimSpace(x.rows[0][slices.Index(parts.Features, name)])
			if slices.Contains(parts.Numeric, name) && math.IsNaN(number(text)) {
				text = ""
			}
			record[3+j] = text
		}
		err = errors.Join(err, out.Write(record))
	}
	out.Flush()
	info, statErr := file.Stat()
	if err = errors.Join(err, out.Error(), statErr, file.Close()); err != nil {
		return n, fmt.Errorf("%s: %w", f.Source, err)
	}
	f.Bytes, f.SHA256 = info.Size(), hex.EncodeToString(hash.Sum(nil))
	f.read.SHA256 = f.SHA256
	return n, nil
}
