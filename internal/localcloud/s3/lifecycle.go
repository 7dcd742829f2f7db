package s3

import (
	"net/http"
	"strings"
	"time"

	"github.com/rclone/gofakes3"
)

// lifecycle is the body of PutBucketLifecycleConfiguration.
type lifecycle struct {
	Rules []lifecycleRule `xml:"Rule"`
}

type lifecycleRule struct {
	ID         string `xml:",omitempty"`
	Status     string
	Prefix     *string          `json:",omitempty"` // the old form of Filter
	Filter     *lifecycleFilter `json:",omitempty"`
	Expiration *expiration      `json:",omitempty"`
	Noncurrent *noncurrent      `xml:"NoncurrentVersionExpiration" json:",omitempty"`
	Abort      *abort           `xml:"AbortIncompleteMultipartUpload" json:",omitempty"`
	// Objects have one storage class, so that transitions are refused.
	Transitions           []transition `xml:"Transition" json:",omitempty"`
	NoncurrentTransitions []transition `xml:"NoncurrentVersionTransition" json:",omitempty"`
}

type expiration struct {
	Days          *int   `json:",omitempty"`
	Date          string `xml:",omitempty" json:",omitempty"`
	ExpiredMarker bool   `xml:"ExpiredObjectDeleteMarker,omitempty" json:",omitempty"`
}

type noncurrent struct {
	Days  int  `xml:"NoncurrentDays"`
	Newer *int `xml:"NewerNoncurrentVersions" json:",omitempty"`
}

type abort struct {
	Days int `xml:"DaysAfterInitiation"`
}

type transition struct {
	Date, StorageClass                            string
	Days, NoncurrentDays, NewerNoncurrentVersions *int
}

const (
	lifecycleDocument = "lifecycle"
	// maxRules and maxRuleID are AWS's quotas.
	maxRules  = 1000
	maxRuleID = 255
	maxNewer  = 100
	enabled   = "Enabled"
	disabled  = "Disabled"
)

func invalidArgument(format string, args ...any) error {
	return refuse(http.StatusBadRequest, gofakes3.ErrInvalidArgument, format, args...)
}

func invalidRequest(format string, args ...any) error {
	return refuse(http.StatusBadRequest, gofakes3.ErrInvalidRequest, format, args...)
}

// check refuses what AWS refuses, and gives rules without an ID one.
func (c *lifecycle) check() error {
	if len(c.Rules) == 0 || len(c.Rules) > maxRules {
		return malformed("%d rules are given, not 1 to %d", len(c.Rules), maxRules)
	}
	seen := map[string]bool{}
	for i := range c.Rules {
		rule := &c.Rules[i]
		if rule.ID == "" {
			rule.ID = newID()
		}
		if seen[rule.ID] {
			return invalidArgument("Rule ID must be unique. Found same ID for more than one rule: %s", rule.ID)
		}
		seen[rule.ID] = true
		if err := rule.check(); err != nil {
			return err
		}
	}
	return nil
}

func (r *lifecycleRule) check() error {
	switch {
	case len(r.ID) > maxRuleID:
		return invalidArgument("ID length should not exceed allowed limit of %d", maxRuleID)
	case r.Status != enabled && r.Status != disabled:
		return malformed("the Status of rule %s is %q, neither Enabled nor Disabled", r.ID, r.Status)
	case (r.Prefix == nil) == (r.Filter == nil):
		return malformed("rule %s needs either a Filter or, in the old form, a Prefix", r.ID)
	case len(r.Transitions)+len(r.NoncurrentTransitions) > 0:
		return refuse(http.StatusNotImplemented, gofakes3.ErrNotImplemented, "Transition and NoncurrentVersionTransition (rule %s) are not offered: there is one storage class", r.ID)
	case r.Expiration == nil && r.Noncurrent == nil && r.Abort == nil:
		return invalidRequest("At least one action needs to be specified in a rule")
	}
	if r.Filter != nil {
		if err := r.Filter.check(); err != nil {
			return err
		}
	}
	return r.checkActions()
}

func (r *lifecycleRule) checkActions() error {
	by := r.conditions()
	if e := r.Expiration; e != nil {
		if err := e.check(); err != nil {
			return err
		}
		if e.ExpiredMarker && len(by.tags) > 0 {
			return invalidRequest("ExpiredObjectDeleteMarker cannot be specified with Tags.")
		}
	}
	if n := r.Noncurrent; n != nil {
		if n.Days < 1 {
			return invalidArgument("'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer")
		}
		if n.Newer != nil && (*n.Newer < 1 || *n.Newer > maxNewer) {
			return invalidArgument("'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be an integer from 1 to %d", maxNewer)
		}
	}
	switch a := r.Abort; {
	case a == nil:
	case a.Days < 1:
		return invalidArgument("'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer")
	case len(by.tags) > 0:
		return invalidRequest("AbortIncompleteMultipartUpload cannot be specified with Tags.")
	case by.larger != nil || by.smaller != nil:
		return invalidRequest("AbortIncompleteMultipartUpload cannot be specified with Object Size.")
	}
	return nil
}

func (e *expiration) check() error {
	given := 0
	for _, is := range []bool{e.Days != nil, e.Date != "", e.ExpiredMarker} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return malformed("Expiration needs one of Days, Date and ExpiredObjectDeleteMarker")
	case e.Days != nil && *e.Days < 1:
		return invalidArgument("'Days' for Expiration action must be a positive integer")
	case e.Date == "":
		return nil
	}
	at, err := e.date()
	if err != nil {
		return malformed("the Date %q of Expiration is not in ISO 8601 format", e.Date)
	}
	if !at.Equal(midnight(at)) {
		return invalidArgument("'Date' must be at midnight GMT")
	}
	return nil
}

// date reads Date, as a time or a day.
func (e *expiration) date() (time.Time, error) {
	if !strings.Contains(e.Date, "T") {
		return time.Parse(time.DateOnly, e.Date)
	}
	return time.Parse(time.RFC3339Nano, e.Date)
}

func (s *Store) putLifecycle(x *exchange, r *http.Request, at location) error {
	if err := putDocumentOf[lifecycle](lifecycleDocument, "LifecycleConfiguration", http.StatusOK)(s, x, r, at); err != nil {
		return err
	}
	s.sweeps.wake()
	return nil
}

func (s *Store) getLifecycle(x *exchange, r *http.Request, at location) error {
	return getDocumentOf[lifecycle](lifecycleDocument, "LifecycleConfiguration", gofakes3.ErrNoSuchLifecycleConfiguration, "The lifecycle configuration does not exist")(s, x, r, at)
}
