package main

import (
	"bufio"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
)

// tableRow is a row of the tables that are profiled.
type tableRow struct {
	At      time.Time `parquet:"ts,timestamp(microsecond)"`
	User    int64     `parquet:"user_id"`
	Amount  *float64  `parquet:"amount,optional"`
	Age     int64     `parquet:"age"`
	Score   float64   `parquet:"score"`
	Lat     float64   `parquet:"lat"`
	Dist    *float64  `parquet:"dist,optional"`
	Country string    `parquet:"country,dict"`
	Device  *string   `parquet:"device,optional,dict"`
	Label   int64     `parquet:"label"`
}

var (
	countries = []string{"AT", "AU", "BE", "BR", "CA", "CH", "CL", "CN", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "IE", "IN", "IT", "JP", "KR", "MX", "NL", "NO", "NZ", "PL", "PT", "SE", "US", "ZA"}
	devices   = []string{"android", "ios", "web", "desktop", "television"}
)

// tableRows makes the rows of a seed, whose numbers lie a little higher with
// every shift.
func tableRows(seed uint64, shift float64) func(*tableRow) {
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // data, not secrets
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	amount, dist := 0.0, 0.0
	round := func(v, digits float64) float64 { return math.Round(v*digits) / digits }
	return func(t *tableRow) {
		at = at.Add(time.Duration(r.IntN(3)) * time.Second)
		amount, dist = round(math.Exp(3+shift+r.NormFloat64()), 100), round(math.Abs(r.NormFloat64())*250, 1000)
		*t = tableRow{At: at, User: r.Int64N(1_000_000), Amount: &amount, Age: 18 + int64(min(70, math.Abs(r.NormFloat64()+shift)*20)),
			Score: round(r.Float64(), 1e6), Lat: round(r.Float64()*180-90, 1e5), Dist: &dist,
			Country: countries[int(r.Float64()*r.Float64()*float64(len(countries)))], Device: &devices[r.IntN(len(devices))], Label: r.Int64N(2)}
		if r.IntN(50) == 0 {
			t.Amount = nil
		}
		if r.IntN(20) == 0 {
			t.Dist = nil
		}
		if r.IntN(100) == 0 {
			t.Device = nil
		}
	}
}

// writeTable writes a table to a file.
func writeTable(name string, write func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 1<<20)
	return errors.Join(write(out), out.Flush(), file.Close())
}

func writeCSV(w io.Writer, rows int, next func(*tableRow)) error {
	line := []byte("ts,user_id,amount,age,score,lat,dist,country,device,label\n")
	var t tableRow
	for range rows {
		if _, err := w.Write(line); err != nil {
			return err
		}
		next(&t)
		line = t.At.AppendFormat(line[:0], "2006-01-02 15:04:05,")
		line = append(strconv.AppendInt(line, t.User, 10), ',')
		line = append(appendOptional(line, t.Amount), ',')
		line = append(strconv.AppendInt(line, t.Age, 10), ',')
		line = append(strconv.AppendFloat(line, t.Score, 'f', -1, 64), ',')
		line = append(strconv.AppendFloat(line, t.Lat, 'f', -1, 64), ',')
		line = append(appendOptional(line, t.Dist), ',')
		line = append(append(line, t.Country...), ',')
		if t.Device != nil {
			line = append(line, *t.Device...)
		}
		line = append(strconv.AppendInt(append(line, ','), t.Label, 10), '\n')
	}
	_, err := w.Write(line)
	return err
}

func appendOptional(line []byte, v *float64) []byte {
	if v == nil {
		return line
	}
	return strconv.AppendFloat(line, *v, 'f', -1, 64)
}

func writeParquet(w io.Writer, rows int, next func(*tableRow)) error {
	out := parquet.NewGenericWriter[tableRow](w, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(1_000_000))
	var batch [1]tableRow
	for range rows {
		next(&batch[0])
		if _, err := out.Write(batch[:]); err != nil {
			return err
		}
	}
	return out.Close()
}
