package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Call is a verified request, as it is known before its service runs.
type Call struct {
	// Service is the signing name: s3, sagemaker, monitoring, logs, sns, sts,
	// application-autoscaling.
	Service string
	// Operation is AWS's name of it, such as CreateTrainingJob or PutObject.
	Operation string
	// Resources are the names and ARNs that the request gives; for S3 "bucket"
	// or "bucket/key".
	Resources []string
}

// Upset is what befalls a call: first the delay, then the error in place of the
// service's answer or, if the answer is lost, the end of the connection after
// the service has done its work. The zero value is the normal course.
type Upset struct {
	Delay time.Duration
	Error *Error
	Lost  bool
}

// Upsetting makes the router ask of every verified call what befalls it. What the
// call is has to be found out, so it is given as a function.
func (rt *Router) Upsetting(upset func(what func() Call) Upset) *Router {
	rt.upset = upset
	return rt
}

// serve runs the service, unless something befalls the call.
func (rt *Router) serve(s Service, w http.ResponseWriter, r *http.Request) {
	if rt.upset == nil {
		s.handler.ServeHTTP(w, r)
		return
	}
	up := rt.upset(func() Call { return s.call(r) })
	if up.Delay > 0 {
		delay := time.NewTimer(up.Delay)
		defer delay.Stop()
		select {
		case <-delay.C:
		case <-r.Context().Done():
			return
		}
	}
	switch {
	case up.Error != nil:
		s.answers.writeError(w, up.Error)
	case up.Lost:
		s.handler.ServeHTTP(unheard{http.Header{}}, r)
		panic(http.ErrAbortHandler) // net/http closes the connection without a word
	default:
		s.handler.ServeHTTP(w, r)
	}
}

// unheard takes an answer that nobody will hear.
type unheard struct{ header http.Header }

func (u unheard) Header() http.Header         { return u.header }
func (u unheard) Write(p []byte) (int, error) { return len(p), nil }
func (u unheard) WriteHeader(int)             {}

// call names what a request asks for. The body, if it is in memory, can be read
// again afterwards.
func (s Service) call(r *http.Request) Call {
	c := Call{Service: s.name}
	switch {
	case s.stream:
		c.Operation, c.Resources = objectCall(r)
	case r.Header.Get(targetHeader) != "":
		_, c.Operation, _ = strings.Cut(r.Header.Get(targetHeader), ".")
		c.Resources = namesIn(rereadable(r))
	case isForm(r):
		form, _ := url.ParseQuery(string(rereadable(r))) // what cannot be parsed names nothing
		c.Operation, c.Resources = form.Get("Action"), namesInForm(form)
	case strings.HasPrefix(r.URL.Path, "/endpoints/"):
		name, how, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/endpoints/"), "/")
		c.Operation, c.Resources = cmp.Or(invocations[how], "InvokeEndpoint"), []string{name}
	default:
		c.Operation = r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	}
	return c
}

// invocations are the operations on an endpoint that have a path of their own.
var invocations = map[string]string{"async-invocations": "InvokeEndpointAsync", "invocations-response-stream": "InvokeEndpointWithResponseStream"}

// rereadable reads a body that is in memory and puts it back.
func rereadable(r *http.Request) []byte {
	body, _ := io.ReadAll(r.Body) // memory does not fail
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body
}

// namesIn are the texts of a JSON object's members that end in Name, Arn or ARN, and
// its ResourceId.
func namesIn(body []byte) []string {
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		return nil // its service will say so
	}
	var names []string
	for member, value := range members {
		if text, ok := value.(string); ok && (strings.HasSuffix(member, "Name") || strings.HasSuffix(member, "Arn") || strings.HasSuffix(member, "ARN") || member == "ResourceId") {
			names = append(names, text)
		}
	}
	slices.Sort(names)
	return names
}

// namesInForm are the values of a form's own members, not of lists in it, that end
// in Name or Arn.
func namesInForm(form url.Values) []string {
	var names []string
	for member, values := range form {
		if !strings.Contains(member, ".") && (strings.HasSuffix(member, "Name") || strings.HasSuffix(member, "Arn")) {
			names = append(names, values...)
		}
	}
	slices.Sort(names)
	return names
}

// objectCall names a request to S3, in the path style.
func objectCall(r *http.Request) (operation string, resources []string) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case bucket == "":
		return "ListBuckets", nil
	case key == "":
		return bucketOperation(r), []string{bucket}
	}
	return objectOperation(r), []string{bucket + "/" + key}
}

// verbs are the first words of operations on a subresource.
var verbs = map[string]string{http.MethodGet: "Get", http.MethodPut: "Put", http.MethodDelete: "Delete", http.MethodHead: "Head", http.MethodPost: "Post"}

// bucketParts are the subresources of a bucket, by the parameter that asks for them.
var bucketParts = map[string]string{
	"versioning": "BucketVersioning", "location": "BucketLocation", "acl": "BucketAcl", "policy": "BucketPolicy",
	"lifecycle": "BucketLifecycleConfiguration", "cors": "BucketCors", "encryption": "BucketEncryption", "tagging": "BucketTagging",
	"policyStatus": "BucketPolicyStatus", "publicAccessBlock": "PublicAccessBlock", "ownershipControls": "BucketOwnershipControls",
	"object-lock": "ObjectLockConfiguration", "notification": "BucketNotificationConfiguration",
}

func bucketOperation(r *http.Request) string {
	q := r.URL.Query()
	if q.Has("lifecycle") && r.Method == http.MethodDelete {
		return "DeleteBucketLifecycle" // the one that does not match its Put
	}
	for parameter, part := range bucketParts {
		if q.Has(parameter) {
			return verbs[r.Method] + part
		}
	}
	switch {
	case r.Method == http.MethodPut:
		return "CreateBucket"
	case r.Method == http.MethodPost && q.Has("delete"):
		return "DeleteObjects"
	case r.Method == http.MethodPost:
		return "PostObject" // a form
	case r.Method != http.MethodGet:
		return verbs[r.Method] + "Bucket"
	case q.Has("uploads"):
		return "ListMultipartUploads"
	case q.Has("versions"):
		return "ListObjectVersions"
	case q.Get("list-type") == "2":
		return "ListObjectsV2"
	}
	return "ListObjects"
}

// objectParts are the subresources of an object.
var objectParts = map[string]string{"tagging": "ObjectTagging", "acl": "ObjectAcl", "attributes": "ObjectAttributes", "retention": "ObjectRetention", "legal-hold": "ObjectLegalHold"}

func objectOperation(r *http.Request) string {
	q := r.URL.Query()
	for parameter, part := range objectParts {
		if q.Has(parameter) {
			return verbs[r.Method] + part
		}
	}
	copies := r.Header.Get("X-Amz-Copy-Source") != ""
	switch {
	case r.Method == http.MethodPost && q.Has("uploads"):
		return "CreateMultipartUpload"
	case !q.Has("uploadId") && r.Method == http.MethodPut && copies:
		return "CopyObject"
	case !q.Has("uploadId"):
		return verbs[r.Method] + "Object"
	case r.Method == http.MethodPut && copies:
		return "UploadPartCopy"
	case r.Method == http.MethodPut:
		return "UploadPart"
	case r.Method == http.MethodPost:
		return "CompleteMultipartUpload"
	case r.Method == http.MethodDelete:
		return "AbortMultipartUpload"
	}
	return "ListParts"
}
