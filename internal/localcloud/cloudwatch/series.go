package cloudwatch

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// series is what AWS calls a metric, in one unit.
type series struct {
	Namespace, Name string
	Dimensions      map[string]string
	Unit            types.StandardUnit
}

// key is the same for the same series and for no other.
func (s series) key() string {
	parts := []string{s.Namespace, s.Name, string(s.Unit)}
	for _, name := range slices.Sorted(maps.Keys(s.Dimensions)) {
		parts = append(parts, name, s.Dimensions[name])
	}
	return strings.Join(parts, "\x00")
}

// level is one of the two resolutions that are kept.
type level struct {
	bucket string // in the database
	step   time.Duration
	keep   time.Duration
}

// How long each level is kept follows "Metrics retention" of the CloudWatch user
// guide; its coarser levels, which reach back 455 days, are not kept.
var (
	seconds = &level{"seconds", time.Second, 3 * time.Hour}
	minutes = &level{"minutes", time.Minute, 15 * 24 * time.Hour}
	levels  = []*level{seconds, minutes}
)

// cell is one second or minute of one series.
type cell struct {
	level  *level
	series uint64
	start  int64 // seconds since 1970
}

func (l *level) cell(series uint64, at time.Time) cell {
	return cell{l, series, at.Truncate(l.step).Unix()}
}

// dbKey sorts the cells of a series by time.
func (c cell) dbKey() []byte {
	b := binary.BigEndian.AppendUint64(nil, c.series)
	return binary.BigEndian.AppendUint64(b, uint64(c.start))
}

func startOf(dbKey []byte) int64 { return int64(binary.BigEndian.Uint64(dbKey[8:])) }
