package s3

import (
	"net/http"
	"net/url"

	"github.com/rclone/gofakes3"
)

// location is what a request's path names; key is "" for a bucket.
type location struct{ bucket, key string }

// operation answers a request for a subresource that gofakes3 does not know.
type operation func(s *Store, x *exchange, r *http.Request, at location) error

// bucketOperations are those on a bucket, by the parameter that asks for the
// subresource and the method.
var bucketOperations = map[string]map[string]operation{
	"object-lock": {"PUT": (*Store).putObjectLock, "GET": (*Store).getObjectLock},
	"encryption": {
		"PUT": putDocumentOf[encryptionConfiguration](encryptionDocument, "ServerSideEncryptionConfiguration", http.StatusOK),
		"GET": (*Store).getEncryption, "DELETE": deleteDocumentOf(encryptionDocument),
	},
	"policy":       {"PUT": (*Store).putPolicy, "GET": (*Store).getPolicy, "DELETE": deleteDocumentOf(policyDocument)},
	"policyStatus": {"GET": (*Store).getPolicyStatus},
	"publicAccessBlock": {
		"PUT":    putDocumentOf[publicAccessBlock](publicAccessDocument, "PublicAccessBlockConfiguration", http.StatusOK),
		"GET":    getDocumentOf[publicAccessBlock](publicAccessDocument, "PublicAccessBlockConfiguration", gofakes3.ErrNoSuchPublicAccessBlockConfiguration, "The public access block configuration was not found"),
		"DELETE": deleteDocumentOf(publicAccessDocument),
	},
	"ownershipControls": {
		"PUT":    putDocumentOf[ownershipControls](ownershipDocument, "OwnershipControls", http.StatusOK),
		"GET":    getDocumentOf[ownershipControls](ownershipDocument, "OwnershipControls", gofakes3.ErrOwnershipControlsNotFound, "The bucket ownership controls were not found"),
		"DELETE": deleteDocumentOf(ownershipDocument),
	},
	"tagging": {
		"PUT":    putDocumentOf[bucketTags](tagsDocument, "Tagging", http.StatusNoContent),
		"GET":    getDocumentOf[bucketTags](tagsDocument, "Tagging", gofakes3.ErrNoSuchTagSet, "The TagSet does not exist"),
		"DELETE": deleteDocumentOf(tagsDocument),
	},
	"lifecycle":    {"PUT": (*Store).putLifecycle, "GET": (*Store).getLifecycle, "DELETE": deleteDocumentOf(lifecycleDocument)},
	"notification": {"PUT": (*Store).putNotification, "GET": (*Store).getNotification},
	"cors":         {"PUT": notOffered("cross-origin resource sharing (PutBucketCors)")},
	"uploads":      {"GET": (*Store).listUploads},
	"delete":       {"POST": (*Store).deleteObjects},
}

// objectOperations are those on an object.
var objectOperations = map[string]map[string]operation{
	"retention":  {"PUT": (*Store).putRetention, "GET": (*Store).getRetention},
	"legal-hold": {"PUT": (*Store).putLegalHold, "GET": (*Store).getLegalHold},
}

func notOffered(what string) operation {
	return func(*Store, *exchange, *http.Request, location) error {
		return refuse(http.StatusNotImplemented, gofakes3.ErrNotImplemented, "%s is not offered", what)
	}
}

// operationFor gives the operation of this package that a request asks for, nil
// if it is for gofakes3.
func operationFor(method string, query url.Values, at location) operation {
	operations := bucketOperations
	if at.key != "" {
		operations = objectOperations
	}
	for parameter := range query {
		if methods, ok := operations[parameter]; ok {
			return methods[method]
		}
	}
	return nil
}
