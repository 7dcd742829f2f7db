package s3

import (
	"net/url"
	"strings"
	"time"

	"github.com/rclone/gofakes3"
)

// lifecycleFilter says which objects a rule is for: by one condition, or by all of And.
type lifecycleFilter struct {
	Prefix  *string    `json:",omitempty"`
	Tag     *tag       `json:",omitempty"`
	Larger  *int64     `xml:"ObjectSizeGreaterThan" json:",omitempty"` // bytes
	Smaller *int64     `xml:"ObjectSizeLessThan" json:",omitempty"`
	And     *filterAnd `json:",omitempty"`
}

type filterAnd struct {
	Prefix  *string `json:",omitempty"`
	Tags    []tag   `xml:"Tag" json:",omitempty"`
	Larger  *int64  `xml:"ObjectSizeGreaterThan" json:",omitempty"`
	Smaller *int64  `xml:"ObjectSizeLessThan" json:",omitempty"`
}

func (f *lifecycleFilter) check() error {
	given := 0
	for _, is := range []bool{f.Prefix != nil, f.Tag != nil, f.Larger != nil, f.Smaller != nil, f.And != nil} {
		if is {
			given++
		}
	}
	if given > 1 {
		return malformed("a Filter has one of Prefix, Tag, ObjectSizeGreaterThan, ObjectSizeLessThan and And")
	}
	c := (&lifecycleRule{Filter: f}).conditions()
	if c.larger != nil && c.smaller != nil && *c.larger >= *c.smaller {
		return invalidRequest("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")
	}
	return checkTags(c.tags)
}

// conditions are those that an object must meet for a rule, all of them.
type conditions struct {
	prefix          string
	tags            []tag
	larger, smaller *int64
}

func (r *lifecycleRule) conditions() conditions {
	f := r.Filter
	switch {
	case f == nil:
		return conditions{prefix: text(r.Prefix)}
	case f.And != nil:
		return conditions{text(f.And.Prefix), f.And.Tags, f.And.Larger, f.And.Smaller}
	case f.Tag != nil:
		return conditions{tags: []tag{*f.Tag}}
	}
	return conditions{prefix: text(f.Prefix), larger: f.Larger, smaller: f.Smaller}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// match tells whether the conditions are met. Delete markers have neither tags nor size.
func (c conditions) match(r *record) bool {
	if !strings.HasPrefix(r.Key, c.prefix) {
		return false
	}
	if c.larger != nil && (r.Deleted || r.Size <= *c.larger) || c.smaller != nil && (r.Deleted || r.Size >= *c.smaller) {
		return false
	}
	if len(c.tags) == 0 {
		return true
	}
	has, _ := url.ParseQuery(r.Meta[gofakes3.TaggingMetadataKey]) // it was written by us
	for _, t := range c.tags {
		if !has.Has(t.Key) || has.Get(t.Key) != t.Value {
			return false
		}
	}
	return true
}

// midnight is the begin of t's day in UTC.
func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// after is the midnight that follows so many days after t, as S3 counts ("the
// object creation time plus the days, rounded to the next day midnight UTC").
func after(t time.Time, days int) time.Time {
	return midnight(t.AddDate(0, 0, days)).AddDate(0, 0, 1)
}

// expires is when the rules end the current version r, and by which rule; zero
// if they do not.
func (c *lifecycle) expires(r *record) (at time.Time, rule string) {
	for i := range c.Rules {
		e := c.Rules[i].Expiration
		if c.Rules[i].Status != enabled || e == nil || e.ExpiredMarker || !c.Rules[i].conditions().match(r) {
			continue
		}
		due := time.Time{}
		if e.Days != nil {
			due = after(r.Modified, *e.Days)
		} else {
			due, _ = e.date() // it was checked when it came
		}
		if at.IsZero() || due.Before(at) {
			at, rule = due, c.Rules[i].ID
		}
	}
	return at, rule
}

// endsMarker tells whether a delete marker that is the only version left ends.
func (c *lifecycle) endsMarker(r *record, now time.Time) bool {
	for i := range c.Rules {
		rule := &c.Rules[i]
		e := rule.Expiration
		if rule.Status != enabled || e == nil || !rule.conditions().match(r) {
			continue
		}
		if e.ExpiredMarker || e.Days != nil && !now.Before(after(r.Modified, *e.Days)) {
			return true
		}
	}
	return false
}

// endsNoncurrent tells whether a version ends that is not current since a time and
// has so many newer ones that are not current either.
func (c *lifecycle) endsNoncurrent(r *record, since time.Time, newer int, now time.Time) bool {
	for i := range c.Rules {
		rule := &c.Rules[i]
		n := rule.Noncurrent
		if rule.Status == enabled && n != nil && rule.conditions().match(r) && newer >= value(n.Newer) && !now.Before(after(since, n.Days)) {
			return true
		}
	}
	return false
}

// endsUpload tells whether an upload that was never completed ends.
func (c *lifecycle) endsUpload(u upload, now time.Time) bool {
	for i := range c.Rules {
		rule := &c.Rules[i]
		if rule.Status == enabled && rule.Abort != nil && !u.Initiated.IsZero() &&
			strings.HasPrefix(u.Key, rule.conditions().prefix) && !now.Before(after(u.Initiated, rule.Abort.Days)) {
			return true
		}
	}
	return false
}
