package dataset

import (
	"errors"
	"fmt"
	"math"
	"time"
)

var errNoTime = errors.New("is not a time such as 2006-01-02T15:04:05Z")

// parseTime reads a date, or a date and a time of day, as nanoseconds since
// 1970 in UTC:
//
//	2006-01-02  2006/01/02
//	2006-01-02T15:04  2006-01-02 15:04:05  2006-01-02T15:04:05.123456789
//
// with Z, UTC, ±07:00, ±0700, ±07 or nothing (UTC) behind the time of day. What
// could mean two instants is refused, and the error says how to write it.
func parseTime(v []byte) (int64, error) {
	if len(v) < 10 || (v[4] != '-' && v[4] != '/') || v[7] != v[4] {
		return 0, noTime(v)
	}
	nanos, err := parseDate(v)
	if err != nil || len(v) == 10 {
		return nanos, err
	}
	if v[10] != 'T' && v[10] != ' ' && v[10] != 't' {
		return 0, errNoTime
	}
	ofDay, zone, ok := timeOfDay(v[11:])
	if !ok {
		return 0, errNoTime
	}
	offset, ok := parseZone(zone)
	if !ok {
		return 0, errNoTime
	}
	return nanos + ofDay - offset, nil
}

// parseDate reads the ten characters of a date.
func parseDate(v []byte) (nanos int64, err error) {
	year, okYear := digits(v[:4])
	month, okMonth := digits(v[5:7])
	day, okDay := digits(v[8:10])
	if !okYear || !okMonth || !okDay || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, errNoTime
	}
	if year < 1678 || year > 2261 {
		return 0, errors.New("lies outside the years 1678 to 2261")
	}
	return daysSince1970(year, month, day) * int64(24*time.Hour), nil
}

// timeOfDay reads 15:04, 15:04:05 or 15:04:05.123 and returns what follows.
func timeOfDay(v []byte) (nanos int64, rest []byte, ok bool) {
	if len(v) < 5 || v[2] != ':' {
		return 0, nil, false
	}
	hour, okHour := digits(v[:2])
	minute, okMinute := digits(v[3:5])
	nanos, rest = int64(hour)*int64(time.Hour)+int64(minute)*int64(time.Minute), v[5:]
	ok = okHour && okMinute && hour < 24 && minute < 60
	if len(rest) < 3 || rest[0] != ':' {
		return nanos, rest, ok
	}
	second, okSecond := digits(rest[1:3])
	nanos, rest = nanos+int64(second)*int64(time.Second), rest[3:]
	ok = ok && okSecond && second < 60
	if len(rest) < 2 || rest[0] != '.' && rest[0] != ',' {
		return nanos, rest, ok
	}
	n := 1
	for unit := int64(100 * time.Millisecond); n < len(rest) && rest[n]-'0' <= 9; n++ {
		nanos += int64(rest[n]-'0') * unit // digits past the ninth count for nothing
		unit /= 10
	}
	return nanos, rest[n:], ok && n > 1
}

// parseZone reads an offset from UTC.
func parseZone(v []byte) (nanos int64, ok bool) {
	if len(v) > 0 && v[0] == ' ' {
		v = v[1:]
	}
	switch string(v) {
	case "", "Z", "z", "UTC", "GMT":
		return 0, true
	}
	if len(v) < 3 || v[0] != '+' && v[0] != '-' {
		return 0, false
	}
	hours, ok := digits(v[1:3])
	minutes, okMinutes := 0, true
	switch rest := v[3:]; {
	case len(rest) == 3 && rest[0] == ':':
		minutes, okMinutes = digits(rest[1:])
	case len(rest) == 2:
		minutes, okMinutes = digits(rest)
	case len(rest) > 0:
		return 0, false
	}
	nanos = int64(hours)*int64(time.Hour) + int64(minutes)*int64(time.Minute)
	if v[0] == '-' {
		nanos = -nanos
	}
	return nanos, ok && okMinutes && hours < 24 && minutes < 60
}

func digits(v []byte) (n int, ok bool) {
	for _, b := range v {
		if b -= '0'; b > 9 {
			return 0, false
		}
		n = n*10 + int(b)
	}
	return n, true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSince1970 counts in years that begin in March, so that the leap day comes
// last (the proleptic Gregorian calendar; Hinnant 2013, "chrono-compatible
// low-level date algorithms", days_from_civil, for years after 0).
func daysSince1970(year, month, day int) int64 {
	month -= 2
	if month <= 0 {
		month += 12
		year--
	}
	era := year / 400
	ofEra := year - era*400
	ofYear := (153*(month-1)+2)/5 + day - 1
	return int64(era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468)
}

// noTime says why what looks like no date at all is not taken for a time.
func noTime(v []byte) error {
	if _, ok := parseNumber(v); ok {
		return fmt.Errorf("may count seconds or milliseconds since 1970: declare the type %s or %s", EpochSeconds, EpochMillis)
	}
	numbers, run := 0, 0
	for i, b := range v {
		switch {
		case b-'0' <= 9:
			if run++; run == 1 {
				numbers++
			}
		case numbers <= 3 && i > 0 && (b == '/' || b == '.' || b == '-'):
			run = 0
		case numbers < 3:
			return errNoTime
		}
		if numbers == 3 {
			return errors.New("may have the day or the month first: write dates as 2006-01-02")
		}
	}
	return errNoTime
}

// parseEpoch reads a count of units since 1970, which may have a fraction.
func parseEpoch(v []byte, unit time.Duration) (int64, error) {
	limit := math.MaxInt64 / int64(unit)
	if n, ok := parseInteger(v); ok {
		if n > limit || n < -limit {
			return 0, errors.New("lies outside the years 1678 to 2261")
		}
		return n * int64(unit), nil
	}
	n, ok := parseNumber(v)
	if !ok || math.Abs(n) >= float64(limit) { // NaN passes, and is told below
		return 0, fmt.Errorf("is no count of %s since 1970", unit)
	}
	if n != n {
		return 0, errNoTime
	}
	return int64(math.Round(n * float64(unit))), nil
}
