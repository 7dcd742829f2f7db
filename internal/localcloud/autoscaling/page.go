package autoscaling

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"

	"steward/internal/localcloud/wire"
)

// page cuts a list to the entries behind the one that a token names, at most max.
// The next token names the page's last entry, so that entries which come and go
// between two pages neither repeat nor hide others. Keys are unique, and every entry
// behind another one has a key for which after holds.
func page[T any](list []*T, key func(*T) string, after func(key, place string) bool, max *int32, most int32, token *string) ([]*T, *string, error) {
	size, err := pageSize(max, most)
	if err != nil {
		return nil, nil, err
	}
	place, err := base64.RawURLEncoding.DecodeString(aws.ToString(token))
	if err != nil {
		return nil, nil, wire.Errorf("InvalidNextTokenException", "The token '%s' is invalid: use the NextToken of the last answer", *token)
	}
	var out []*T
	for _, v := range list {
		switch {
		case token != nil && !after(key(v), string(place)):
		case len(out) == size:
			return out, aws.String(base64.RawURLEncoding.EncodeToString([]byte(key(out[size-1])))), nil
		default:
			out = append(out, v)
		}
	}
	return out, nil, nil
}

func pageSize(max *int32, most int32) (int, error) {
	n := aws.ToInt32(max)
	switch {
	case max == nil:
		return int(most), nil
	case n < 1:
		return 0, invalid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1", n)
	case n > most:
		return 0, invalid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to %d", n, most)
	}
	return int(n), nil
}
