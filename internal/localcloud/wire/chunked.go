package wire

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// The forms of a body that comes in chunks, as the header X-Amz-Content-Sha256
// names them ("Signature calculations for the Authorization header: transferring
// payload in multiple chunks" of the S3 user guide).
const (
	signedChunks        = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedChunksTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	unsignedTrailer     = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// maxChunkLine bounds a line between chunks, and maxTrailers the trailing
// headers, in bytes.
const (
	maxChunkLine = 4 << 10
	maxTrailers  = 16 << 10
)

// unchunk makes r's body the content of the chunks, whose length the client has
// stated, and fills in r.Trailer at its end. Content-Length and
// X-Amz-Content-Sha256 become those of a plain body.
func (v Verifier) unchunk(s signature, r *http.Request) *refusal {
	stated := r.Header.Get("X-Amz-Decoded-Content-Length")
	length, err := strconv.ParseInt(stated, 10, 64)
	if err != nil || length < 0 {
		return refuse(noLength, "X-Amz-Decoded-Content-Length is "+strconv.Quote(stated)+"; a body in chunks must state the length of its content")
	}
	c := &chunkReader{from: bufio.NewReaderSize(r.Body, maxTrailers), body: r.Body, left: length}
	if s.payload != unsignedTrailer {
		c.signer = v.chunkSigner(s)
	}
	if s.payload != signedChunks {
		r.Trailer = http.Header{}
		c.trailer = r.Trailer
	}
	r.Body, r.ContentLength, r.TransferEncoding = c, length, nil
	r.Header.Set("Content-Length", strconv.FormatInt(length, 10))
	r.Header.Set("X-Amz-Content-Sha256", unsignedPayload)
	r.Header.Del("X-Amz-Decoded-Content-Length")
	return verifyEmpty(r)
}

// verifyEmpty reads a body of no bytes, which nobody else might do.
func verifyEmpty(r *http.Request) *refusal {
	if r.ContentLength != 0 {
		return nil
	}
	_, err := r.Body.Read(make([]byte, 1))
	if err == io.EOF {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Status == http.StatusForbidden {
		return refuse(wrongSignature, e.Message)
	}
	return refuse(badBody, err.Error())
}

// chunkReader reads the content of chunks. It gives the last byte only when the
// final chunk, its signature and the trailing headers were right.
type chunkReader struct {
	from    *bufio.Reader
	body    io.Closer
	signer  *chunkSigner // nil if the chunks are not signed
	trailer http.Header  // nil if there is none
	left    int64        // of the content
	chunk   int64        // of the chunk under way
	begun   bool
	err     error
}

func (c *chunkReader) Close() error { return c.body.Close() }

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.err != nil || len(p) == 0 && c.left > 0 {
		return 0, c.err
	}
	n, err := c.read(p)
	if err == nil && c.left == 0 {
		if err = c.finish(); err == nil {
			err = io.EOF
		}
	}
	c.err = err
	return n, err
}

func (c *chunkReader) read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, nil
	}
	if c.chunk == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
		if c.chunk == 0 {
			return 0, Errorf("IncompleteBody", "the chunks hold %d bytes less than X-Amz-Decoded-Content-Length says", c.left)
		}
		if c.chunk > c.left {
			return 0, Errorf("InvalidRequest", "the chunks hold more bytes than X-Amz-Decoded-Content-Length says")
		}
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.chunk)])
	c.chunk, c.left = c.chunk-int64(n), c.left-int64(n)
	if c.signer != nil {
		c.signer.sum.Write(p[:n])
	}
	return n, cut(err)
}

// next ends the chunk before and reads the line that begins a chunk:
// "<size in hexadecimal>[;chunk-signature=<hex>]".
func (c *chunkReader) next() error {
	if err := c.end(); err != nil {
		return err
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	if c.chunk, err = strconv.ParseInt(size, 16, 64); err != nil || c.chunk < 0 {
		return Errorf("InvalidRequest", "a chunk begins with %.40q, not with its size in hexadecimal", line)
	}
	c.begun = true
	if c.signer != nil {
		c.signer.claimed = strings.TrimPrefix(extension, "chunk-signature=")
	}
	return nil
}

// end checks the chunk that was read.
func (c *chunkReader) end() error {
	if !c.begun {
		return nil
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	if line != "" {
		return Errorf("InvalidRequest", "a chunk is longer than its size says")
	}
	return c.verify()
}

func (c *chunkReader) verify() error {
	if c.signer == nil {
		return nil
	}
	return c.signer.endChunk()
}

// finish reads what follows the content: the chunk of no bytes and the trailing
// headers.
func (c *chunkReader) finish() error {
	if err := c.next(); err != nil {
		return err
	}
	if c.chunk != 0 {
		return Errorf("InvalidRequest", "the chunks hold more bytes than X-Amz-Decoded-Content-Length says")
	}
	if err := c.verify(); err != nil {
		return err
	}
	if c.trailer == nil {
		return nil
	}
	return c.readTrailer()
}

// readTrailer reads "name:value" lines up to an empty one or the end.
func (c *chunkReader) readTrailer() error {
	var signed strings.Builder
	claimed := ""
	for signed.Len() < maxTrailers {
		line, err := c.line()
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case line == "":
			return c.endTrailer(signed.String(), claimed)
		case !ok:
			return Errorf("MalformedTrailerError", "the trailing header %.40q has no colon", line)
		case name == "x-amz-trailer-signature":
			claimed = value
		default:
			signed.WriteString(name + ":" + value + "\n")
			c.trailer.Add(name, value)
		}
	}
	return Errorf("MalformedTrailerError", "the trailing headers have more than %d bytes", maxTrailers)
}

func (c *chunkReader) endTrailer(text, claimed string) error {
	if c.signer == nil {
		return nil
	}
	return c.signer.endTrailer(text, claimed)
}

// line reads a line without its end.
func (c *chunkReader) line() (string, error) {
	line, err := c.from.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || len(line) > maxChunkLine {
		return "", Errorf("InvalidRequest", "a line between chunks has more than %d bytes", maxChunkLine)
	}
	return strings.TrimRight(string(line), "\r\n"), cut(err)
}

// cut gives the end of a body before its time as such.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// chunkSigner computes the signatures of chunks, each over the one before it.
type chunkSigner struct {
	key                []byte
	stamp, scope, last string
	claimed            string
	sum                hash.Hash
}

func (v Verifier) chunkSigner(s signature) *chunkSigner {
	return &chunkSigner{key: v.key(s), stamp: s.at.Format(stampLayout), scope: s.scope(), last: s.hex, sum: sha256.New()}
}

func (k *chunkSigner) sign(kind string, digests ...string) string {
	text := strings.Join(append([]string{algorithm + "-" + kind, k.stamp, k.scope, k.last}, digests...), "\n")
	return hex.EncodeToString(mac(k.key, text))
}

// endChunk compares the signature of the chunk that was written to sum.
func (k *chunkSigner) endChunk() error {
	empty := sha256.Sum256(nil)
	want := k.sign("PAYLOAD", hex.EncodeToString(empty[:]), hex.EncodeToString(k.sum.Sum(nil)))
	k.sum.Reset()
	return k.accept(want, k.claimed)
}

func (k *chunkSigner) endTrailer(text, claimed string) error {
	sum := sha256.Sum256([]byte(text))
	return k.accept(k.sign("TRAILER", hex.EncodeToString(sum[:])), claimed)
}

func (k *chunkSigner) accept(want, claimed string) error {
	if !hmac.Equal([]byte(want), []byte(claimed)) {
		return &Error{Code: "SignatureDoesNotMatch", Message: "the signature of a chunk or of the trailing headers does not match what was computed", Status: http.StatusForbidden}
	}
	k.last = want
	return nil
}
