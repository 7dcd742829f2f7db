package wire

import (
	"net/http"
	"strings"
)

// MaxBody is the largest request, in bytes, of a service whose requests are
// held in memory: SageMaker's limit for a real-time invocation, which is the
// largest of them.
const MaxBody = 6 << 20

// Service is one API behind the [Router]: the requests it takes and how it
// answers them.
type Service struct {
	// name is the service's name in a signature's credential scope.
	name    string
	takes   func(*http.Request) bool
	answers protocol
	handler http.Handler
	// stream leaves the body to the handler unread; it is verified as it is read.
	stream bool
}

// protocol is what differs between wire protocols outside the handlers.
type protocol struct {
	writeError func(http.ResponseWriter, *Error)
	auth       authCodes
	statuses   map[string]int // of codes that have another than refusalStatus
}

// JSON is a service of awsJson 1.1, whose operations come in the header
// X-Amz-Target as "<targetPrefix>.<Operation>".
func JSON(signingName, targetPrefix string, ops Operations) Service {
	return Service{
		name:    signingName,
		takes:   func(r *http.Request) bool { return strings.HasPrefix(r.Header.Get(targetHeader), targetPrefix+".") },
		answers: protocol{writeJSONError, jsonAuth, nil},
		handler: jsonHandler(targetPrefix, ops, writeJSONError),
	}
}

// CBOR is a service of rpcv2Cbor, whose operations come as the path
// /service/<service>/operation/<Operation>.
func CBOR(signingName, service string, ops Operations) Service {
	prefix := "/service/" + service + "/operation/"
	return Service{
		name:    signingName,
		takes:   func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, prefix) },
		answers: protocol{writeCBORError, jsonAuth, nil},
		handler: cborHandler(service, prefix, ops),
	}
}

// Query is a service of awsQuery, whose operations come as the form field
// Action; namespace is that of the answers.
func Query(signingName, namespace string, ops Operations) Service {
	return Service{
		name:    signingName,
		takes:   isForm,
		answers: protocol{writeQueryError, queryAuth, nil},
		handler: QueryHandler(signingName, namespace, ops),
	}
}

// REST is a restJson service under a path; its handler gets verified requests
// whose bodies are in memory.
func REST(signingName, pathPrefix string, h http.Handler) Service {
	return Service{
		name:    signingName,
		takes:   func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, pathPrefix) },
		answers: protocol{writeJSONError, jsonAuth, nil},
		handler: h,
	}
}

// S3 is the object store. Its handler reads the body as it arrives; a body that
// does not match its signed digest fails the last Read with an *[Error].
func S3(h http.Handler) Service {
	return Service{
		name:    s3Name,
		takes:   func(*http.Request) bool { return true },
		answers: protocol{writeXMLError, s3Auth, s3Status},
		handler: h,
		stream:  true,
	}
}

const (
	s3Name       = "s3"
	targetHeader = "X-Amz-Target"
)

func isForm(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

// guess is the protocol a client seems to speak, for errors that come before
// its service is known.
func guess(service string, r *http.Request) protocol {
	switch {
	case r.Header.Get(protocolHeader) == cborProtocol:
		return protocol{writeCBORError, jsonAuth, nil}
	case isForm(r):
		return protocol{writeQueryError, queryAuth, nil}
	case service == s3Name || service == "" && r.Header.Get(targetHeader) == "":
		return protocol{writeXMLError, s3Auth, s3Status}
	default:
		return protocol{writeJSONError, jsonAuth, nil}
	}
}
