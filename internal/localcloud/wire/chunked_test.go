package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

// The signatures are those of the examples in "Signature calculations for the
// Authorization header: transferring payload in multiple chunks" of the S3 user
// guide: 66,560 times "a" in chunks of 64 KiB.
const (
	seed        = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
	firstChunk  = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
	secondChunk = "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"
	lastChunk   = "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"
)

func exampleVerifier() (Verifier, signature) {
	v := Verifier{AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	return v, signature{
		date: "20130524", region: "us-east-1", service: "s3", hex: seed, payload: signedChunks,
		at: time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC),
	}
}

func signedBody(content string, signatures ...string) string {
	return fmt.Sprintf("10000;chunk-signature=%s\r\n%s\r\n400;chunk-signature=%s\r\n%s\r\n0;chunk-signature=%s\r\n\r\n",
		signatures[0], content[:64<<10], signatures[1], content[64<<10:], signatures[2])
}

func chunked(body, decoded string) *http.Request {
	r := &http.Request{Header: http.Header{}, Body: io.NopCloser(iotest.HalfReader(strings.NewReader(body)))}
	r.Header.Set("X-Amz-Decoded-Content-Length", decoded)
	return r
}

func TestSignedChunks(t *testing.T) {
	content := strings.Repeat("a", 65<<10)
	changed := content[:10] + "b" + content[11:]
	good := signedBody(content, firstChunk, secondChunk, lastChunk)
	cases := map[string]struct{ body, code string }{
		"good":             {good, ""},
		"changed content":  {signedBody(changed, firstChunk, secondChunk, lastChunk), "SignatureDoesNotMatch"},
		"wrong last chunk": {signedBody(content, firstChunk, secondChunk, firstChunk), "SignatureDoesNotMatch"},
		"unsigned chunk":   {signedBody(content, firstChunk, "", lastChunk), "SignatureDoesNotMatch"},
		"cut":              {good[:66_000], io.ErrUnexpectedEOF.Error()},
		"too short":        {"0;chunk-signature=" + firstChunk + "\r\n\r\n", "IncompleteBody"},
		"no size":          {"x\r\n", "InvalidRequest"},
		"too long":         {"fffff;chunk-signature=" + firstChunk + "\r\n", "InvalidRequest"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			v, s := exampleVerifier()
			r := chunked(c.body, fmt.Sprint(len(content)))
			require.Nil(t, v.guardBody(s, r))
			got, err := io.ReadAll(r.Body)
			if c.code == "" {
				require.NoError(t, err)
				require.Equal(t, content, string(got))
				require.Equal(t, int64(len(content)), r.ContentLength)
				return
			}
			require.ErrorContains(t, err, c.code)
			require.LessOrEqual(t, len(got), len(content))
		})
	}
}

// TestLastByteComesWithTheVerdict reads no further than the stated length, as
// a handler may.
func TestLastByteComesWithTheVerdict(t *testing.T) {
	content := strings.Repeat("a", 65<<10)
	v, s := exampleVerifier()
	r := chunked(signedBody(content, firstChunk, secondChunk, firstChunk), fmt.Sprint(len(content)))
	require.Nil(t, v.guardBody(s, r))
	_, err := io.Copy(io.Discard, io.LimitReader(r.Body, int64(len(content))))
	refused, ok := errors.AsType[*Error](err)
	require.True(t, ok, err)
	require.Equal(t, 403, refused.Status)
}

func TestTrailers(t *testing.T) {
	v, s := exampleVerifier()
	s.payload = unsignedTrailer
	r := chunked("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "5")
	require.Nil(t, v.guardBody(s, r))
	got, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, "hello", string(got))
	require.Equal(t, "NhCmhg==", r.Trailer.Get("x-amz-checksum-crc32"))

	// The example with a trailing header, of the same page.
	content := strings.Repeat("a", 65<<10)
	s.payload, s.hex = signedChunksTrailer, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
	signed := strings.TrimSuffix(signedBody(content, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
		"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"), "\r\n")
	for signature, fails := range map[string]bool{"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435": false, firstChunk: true} {
		r := chunked(signed+"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:"+signature+"\r\n\r\n", fmt.Sprint(len(content)))
		require.Nil(t, v.guardBody(s, r))
		var got bytes.Buffer
		_, err := got.ReadFrom(r.Body)
		require.Equal(t, fails, err != nil, err)
		if fails {
			require.ErrorContains(t, err, "SignatureDoesNotMatch")
		}
		require.Equal(t, "sOO8/Q==", r.Trailer.Get("x-amz-checksum-crc32c"))
	}
}

func TestEmptyBodyIsVerified(t *testing.T) {
	v, s := exampleVerifier()
	require.Equal(t, wrongSignature, v.guardBody(s, chunked("0;chunk-signature="+lastChunk+"\r\n\r\n", "0")).reason)
	require.Equal(t, noLength, v.guardBody(s, chunked("", "-1")).reason)
	s.payload = strings.Repeat("0", 64)
	require.NotNil(t, v.guardBody(s, &http.Request{Body: http.NoBody}))
}
