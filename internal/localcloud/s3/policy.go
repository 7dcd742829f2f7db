package s3

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/rclone/gofakes3"
)

const (
	policyDocument = "policy"
	// maxPolicy is AWS's limit, in bytes.
	maxPolicy = 20 << 10
)

// policyStatement is what is read of a statement. The policy is not enforced.
type policyStatement struct {
	Effect                  string
	Principal, NotPrincipal json.RawMessage
	Action, NotAction       json.RawMessage
	Resource, NotResource   json.RawMessage
	Condition               json.RawMessage
}

func malformedPolicy(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "MalformedPolicy", format, args...)
}

// readPolicy gives the statements of a policy in JSON.
func readPolicy(data []byte) ([]policyStatement, error) {
	if len(data) > maxPolicy {
		return nil, malformedPolicy("Policy exceeds the maximum allowed document size of %d bytes.", maxPolicy)
	}
	var policy struct{ Statement json.RawMessage }
	if data = bytes.TrimSpace(data); len(data) == 0 || data[0] != '{' {
		return nil, malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	if err := json.Unmarshal(data, &policy); err != nil {
		return nil, malformedPolicy("This policy contains invalid Json: %v", err)
	}
	if policy.Statement == nil {
		return nil, malformedPolicy("Missing required field Statement")
	}
	statements := make([]policyStatement, 1)
	into := any(&statements)
	if policy.Statement[0] == '{' { // one may stand without a list
		into = &statements[0]
	}
	if err := json.Unmarshal(policy.Statement, into); err != nil {
		return nil, malformedPolicy("The policy's Statement is not valid: %v", err)
	}
	for _, s := range statements {
		if err := s.check(); err != nil {
			return nil, err
		}
	}
	return statements, nil
}

func (s policyStatement) check() error {
	switch {
	case s.Effect == "":
		return malformedPolicy("Missing required field Effect")
	case s.Effect != "Allow" && s.Effect != "Deny":
		return malformedPolicy("Invalid effect: %s", s.Effect)
	case s.Principal == nil && s.NotPrincipal == nil:
		return malformedPolicy("Missing required field Principal")
	case s.Action == nil && s.NotAction == nil:
		return malformedPolicy("Missing required field Action")
	case s.Resource == nil && s.NotResource == nil:
		return malformedPolicy("Missing required field Resource")
	}
	return nil
}

// public tells whether the statement allows something to everybody.
func (s policyStatement) public() bool {
	var everybody string
	var named struct{ AWS json.RawMessage }
	if s.Effect != "Allow" || s.Condition != nil {
		return false
	}
	if json.Unmarshal(s.Principal, &named) == nil && named.AWS != nil {
		s.Principal = named.AWS
	}
	var several []string
	if json.Unmarshal(s.Principal, &several) == nil && len(several) == 1 {
		return several[0] == "*"
	}
	return json.Unmarshal(s.Principal, &everybody) == nil && everybody == "*"
}

func (s *Store) putPolicy(x *exchange, r *http.Request, at location) error {
	data, err := readBody(r)
	if err != nil {
		return err
	}
	if _, err := readPolicy(data); err != nil {
		return err
	}
	if err := s.setDocument(at.bucket, policyDocument, string(data)); err != nil {
		return err
	}
	x.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Store) policy(bucket string) (text string, err error) {
	found, err := s.document(bucket, policyDocument, &text)
	if err == nil && !found {
		err = refuse(http.StatusNotFound, gofakes3.ErrNoSuchBucketPolicy, "The bucket policy does not exist")
	}
	return text, err
}

func (s *Store) getPolicy(x *exchange, _ *http.Request, at location) error {
	text, err := s.policy(at.bucket)
	if err != nil {
		return err
	}
	x.set("Content-Type", "application/json")
	_, _ = x.Write([]byte(text)) // the client may be gone
	return nil
}

func (s *Store) getPolicyStatus(x *exchange, _ *http.Request, at location) error {
	text, err := s.policy(at.bucket)
	if err != nil {
		return err
	}
	statements, err := readPolicy([]byte(text))
	if err != nil {
		return err
	}
	var status struct{ IsPublic bool }
	for _, s := range statements {
		status.IsPublic = status.IsPublic || s.public()
	}
	return writeXML(x, "PolicyStatus", status)
}
