package s3_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/s3"
)

// opened is a store with a bucket and an upload under way, behind its handler.
func opened(f *testing.F) (h http.Handler, upload string) {
	store, err := s3.Open(f.TempDir())
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, store.Close()) })
	require.NoError(f, store.CreateBucket(f.Context(), "data"))
	h, err = store.Handler(slog.New(slog.DiscardHandler))
	require.NoError(f, err)
	var begun struct {
		UploadID string `xml:"UploadId"`
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/data/key?uploads", nil))
	require.NoError(f, xml.Unmarshal(w.Body.Bytes(), &begun))
	return h, begun.UploadID
}

// requireSound holds that an answer is no accident and that XML is XML. As on
// AWS, keys may have characters that XML 1.0 cannot say: encoding-type=url is for
// them.
func requireSound(t *testing.T, w *httptest.ResponseRecorder) {
	require.NotEqual(t, http.StatusInternalServerError, w.Code, w.Body)
	if w.Header().Get("Content-Type") != "application/xml" || bytes.Contains(w.Body.Bytes(), []byte("&#x")) {
		return
	}
	d := xml.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	for {
		if _, err := d.Token(); err != nil {
			require.True(t, errors.Is(err, io.EOF), "%v in %s", err, w.Body)
			return
		}
	}
}

// FuzzXML sends bodies to every operation that takes XML.
func FuzzXML(f *testing.F) {
	h, upload := opened(f)
	for _, seed := range []string{`<Delete><Object><Key>a</Key></Object><Quiet>true</Quiet></Delete>`, `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"x"</ETag></Part></CompleteMultipartUpload>`,
		`<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>`, `<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`,
		`<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>`, `<AccessControlPolicy/>`, `<!DOCTYPE x [<!ENTITY y "z">]><Delete>&y;</Delete>`, `<a>`, ``, "\xff", `<Delete><Object><Key></Key><VersionId>null</VersionId></Object></Delete>`,
		`<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter><And><Prefix>a</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>`,
		`<NotificationConfiguration><TopicConfiguration><Topic>arn:aws:sns:us-east-1:000000000000:t</Topic><Event>s3:ObjectCreated:*</Event></TopicConfiguration></NotificationConfiguration>`,
		`<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>`, `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2099-01-01T00:00:00Z</RetainUntilDate></Retention>`,
		`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, to := range []struct{ method, path string }{
			{http.MethodPost, "/data?delete"}, {http.MethodPost, "/data/key?uploadId=" + upload}, {http.MethodPut, "/data/key?tagging"},
			{http.MethodPut, "/data?versioning"}, {http.MethodPut, "/other"}, {http.MethodPut, "/data?acl"}, {http.MethodPut, "/data?tagging"},
			{http.MethodPut, "/data?lifecycle"}, {http.MethodPut, "/data?notification"}, {http.MethodPut, "/data?object-lock"}, {http.MethodPut, "/data/key?retention"}, {http.MethodPut, "/data/key?legal-hold"}, {http.MethodPut, "/data?policy"}, {http.MethodPut, "/data?cors"}, {http.MethodPut, "/data?encryption"},
			{http.MethodPut, "/data?object-lock"}, {http.MethodPut, "/data?notification"}, {http.MethodPut, "/data?publicAccessBlock"}, {http.MethodPut, "/data?ownershipControls"},
			{http.MethodPut, "/data/key?retention"}, {http.MethodPut, "/data/key?legal-hold"},
		} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(to.method, to.path, bytes.NewReader(body)))
			requireSound(t, w)
		}
	})
}

// A body may not make the cloud go deeper than its stack.
func TestDeepXML(t *testing.T) {
	c := start(t)
	h, err := c.store.Handler(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	for _, to := range []struct{ method, path string }{{http.MethodPost, "/data?delete"}, {http.MethodPut, "/data/key?tagging"}, {http.MethodPut, "/data?versioning"}, {http.MethodPut, "/data?lifecycle"}} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(to.method, to.path, strings.NewReader(strings.Repeat("<a>", 1<<18))))
		require.Less(t, w.Code, http.StatusInternalServerError, to.path)
		require.GreaterOrEqual(t, w.Code, http.StatusBadRequest, to.path)
	}
}

// FuzzRequest sends what else of a request is parsed: key, query, and headers.
func FuzzRequest(f *testing.F) {
	h, _ := opened(f)
	for _, seed := range [][5]string{{"key", "", "bytes=0-1", "data/key", "If-Match"}, {"a/../b", "versionId=null", "bytes=-0", "/data/%zz", "If-Modified-Since"}, {"", "list-type=2&max-keys=-1", "bytes=5-1,7-", "data", "Content-Md5"},
		{"key", "uploadId=x&partNumber=99999999999999999999", "bytes=9223372036854775808-", "data/key?versionId=", "X-Amz-Tagging"}, {"", "versions&max-keys=x&prefix=%00", "", "//", "X-Amz-Meta-\x7f"}, {"key", "tagging", "", "", "X-Amz-Acl"},
		{"", "delimiter=%2F&continuation-token=%FF&encoding-type=url", "", "", ""}, {"key", "attributes", "", "", "X-Amz-Object-Attributes"}} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4])
	}
	f.Fuzz(func(t *testing.T, key, query, span, source, name string) {
		for _, method := range []string{http.MethodPut, http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete} {
			r := httptest.NewRequest(method, "/data/", bytes.NewReader([]byte(source)))
			r.URL = &url.URL{Path: "/data/" + key, RawQuery: query}
			r.Header.Set("Range", span)
			if source != "" && method == http.MethodPut {
				r.Header["X-Amz-Copy-Source"] = []string{source}
			}
			r.Header[http.CanonicalHeaderKey(name)] = []string{span}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			requireSound(t, w)
		}
	})
}
