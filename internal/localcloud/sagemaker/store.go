package sagemaker

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// errExists and errMissing are what tables answer; each resource words its own
// refusal.
var (
	errExists  = errors.New("already exists")
	errMissing = errors.New("does not exist")
)

// store is the one durable file: a table for each kind of resource.
type store struct {
	db                  *bolt.DB
	training            table[trainingJob]
	transforms          table[transformJob]
	groups              table[packageGroup]
	packages            table[modelPackage]
	models              table[model]
	configs             table[endpointConfig]
	endpoints           table[endpointRecord]
	tunings             table[tuningJob]
	processing          table[processingJob]
	cards, cardVersions table[modelCard]
}

var tagBucket = []byte("tags")

func openStore(path string) (*store, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("sagemaker: %s is in use: another local cloud runs on this directory; stop it or choose another directory", path)
	}
	if err != nil {
		return nil, fmt.Errorf("sagemaker: open %s: %w", path, err)
	}
	s := &store{db: db,
		training:     newTable(db, "training-job", (*trainingJob).head),
		transforms:   newTable(db, "transform-job", (*transformJob).head),
		groups:       newTable(db, "model-package-group", (*packageGroup).head),
		packages:     newTable(db, "model-package", (*modelPackage).head),
		models:       newTable(db, "model", (*model).head),
		configs:      newTable(db, "endpoint-config", (*endpointConfig).head),
		endpoints:    newTable(db, "endpoint", (*endpointRecord).head),
		processing:   newTable(db, "processing-job", (*processingJob).head),
		tunings:      newTable(db, "hyper-parameter-tuning-job", (*tuningJob).head),
		cards:        newTable(db, "model-card", (*modelCard).head),
		cardVersions: newTable(db, "model-card-version", (*modelCard).versionHead),
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, create := range []func(*bolt.Tx) error{s.training.create, s.transforms.create, s.groups.create,
			s.packages.create, s.models.create, s.configs.create, s.endpoints.create, s.tunings.create, s.processing.create, s.cards.create, s.cardVersions.create} {
			if err := create(tx); err != nil {
				return err
			}
		}
		_, tagsErr := tx.CreateBucketIfNotExists(tagBucket)
		_, asyncErr := tx.CreateBucketIfNotExists(asyncBucket)
		return errors.Join(tagsErr, asyncErr)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sagemaker: open %s: %w", path, err), db.Close())
	}
	return s, nil
}

func (s *store) close() error { return s.db.Close() }

func tagMap(tags []types.Tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return m
}

func writeTags(tx *bolt.Tx, arn string, tags map[string]string) error {
	data, err := json.Marshal(tags)
	if err != nil {
		return err
	}
	return tx.Bucket(tagBucket).Put([]byte(arn), data)
}
