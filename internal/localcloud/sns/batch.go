package sns

import (
	"context"
	"errors"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"steward/internal/localcloud/wire"
)

const maxBatch = 10

var batchID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// publishBatch publishes the messages that can be published, and names the others.
func (s *Service) publishBatch(_ context.Context, in *sns.PublishBatchInput) (*sns.PublishBatchOutput, error) {
	if err := checkBatch(in.PublishBatchRequestEntries); err != nil {
		return nil, err
	}
	out := &sns.PublishBatchOutput{Successful: []types.PublishBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{}}
	var good []content
	for _, entry := range in.PublishBatchRequestEntries {
		c, err := checked(entry)
		if e, ok := errors.AsType[*wire.Error](err); ok {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: entry.Id, Code: &e.Code, Message: &e.Message, SenderFault: true})
			continue
		}
		good = append(good, c)
		out.Successful = append(out.Successful, types.PublishBatchResultEntry{Id: entry.Id})
	}
	ids, err := s.distribute(in.TopicArn, good...)
	for i := range ids {
		out.Successful[i].MessageId = &ids[i]
	}
	return out, err
}

func checkBatch(entries []types.PublishBatchRequestEntry) error {
	switch {
	case len(entries) == 0:
		return wire.Errorf("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	case len(entries) > maxBatch:
		return wire.Errorf("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible: %d, at most %d are allowed.", len(entries), maxBatch)
	}
	seen, size := map[string]bool{}, 0
	for _, e := range entries {
		id := aws.ToString(e.Id)
		switch {
		case !batchID.MatchString(id):
			return wire.Errorf("InvalidBatchEntryId", "The Id of a batch entry in a batch request doesn't abide by the specification: %q", id)
		case seen[id]:
			return wire.Errorf("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id: %q", id)
		}
		seen[id] = true
		size += len(aws.ToString(e.Message))
	}
	if size > maxMessage {
		return wire.Errorf("BatchRequestTooLong", "The length of all the batch messages put together is more than the limit: %d bytes, at most %d are allowed.", size, maxMessage)
	}
	return nil
}
