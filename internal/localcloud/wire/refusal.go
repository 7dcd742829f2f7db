package wire

import "net/http"

// reason is why a request was refused before it reached its service.
type reason int

const (
	missing reason = iota
	incomplete
	badQuery // of a presigned request
	unknownKey
	wrongSignature
	skewed
	expired
	badToken
	expiredToken
	badBody
	tooLargeBody
	notOffered
	noLength
)

// refusal is a reason with its explanation; each protocol has its own code for it.
type refusal struct {
	reason  reason
	message string
}

func refuse(why reason, message string) *refusal { return &refusal{why, message} }

// authCodes are the error codes of one family of protocols.
type authCodes map[reason]string

// The codes come from the "Common Errors" pages of the SageMaker and STS API
// references and from S3's list of error codes.
var (
	jsonAuth = authCodes{
		missing:        "MissingAuthenticationTokenException",
		incomplete:     "IncompleteSignatureException",
		badQuery:       "IncompleteSignatureException",
		unknownKey:     "UnrecognizedClientException",
		wrongSignature: "InvalidSignatureException",
		skewed:         "InvalidSignatureException",
		expired:        "InvalidSignatureException",
		badToken:       "UnrecognizedClientException",
		expiredToken:   "ExpiredTokenException",
		badBody:        "SerializationException",
		tooLargeBody:   "RequestEntityTooLargeException",
	}
	queryAuth = authCodes{
		missing:        "MissingAuthenticationToken",
		incomplete:     "IncompleteSignature",
		badQuery:       "IncompleteSignature",
		unknownKey:     "InvalidClientTokenId",
		wrongSignature: "SignatureDoesNotMatch",
		skewed:         "SignatureDoesNotMatch",
		expired:        "SignatureDoesNotMatch",
		badToken:       "InvalidClientTokenId",
		expiredToken:   "ExpiredToken",
		badBody:        "MalformedQueryString",
		tooLargeBody:   "RequestEntityTooLarge",
	}
	s3Auth = authCodes{
		missing:        "AccessDenied",
		incomplete:     "AuthorizationHeaderMalformed",
		badQuery:       "AuthorizationQueryParametersError",
		unknownKey:     "InvalidAccessKeyId",
		wrongSignature: "SignatureDoesNotMatch",
		skewed:         "RequestTimeTooSkewed",
		expired:        "AccessDenied",
		badToken:       "InvalidToken",
		expiredToken:   "ExpiredToken",
		badBody:        "InvalidRequest",
		tooLargeBody:   "EntityTooLarge",
		notOffered:     "NotImplemented",
		noLength:       "MissingContentLength",
	}
)

var refusalStatus = map[reason]int{
	incomplete:   http.StatusBadRequest,
	badQuery:     http.StatusBadRequest,
	badBody:      http.StatusBadRequest,
	tooLargeBody: http.StatusRequestEntityTooLarge,
	notOffered:   http.StatusNotImplemented,
	noLength:     http.StatusLengthRequired,
}

// s3Status are the statuses of S3 that differ.
var s3Status = map[string]int{"InvalidToken": http.StatusBadRequest, "ExpiredToken": http.StatusBadRequest}

func (r *refusal) as(p protocol) *Error {
	e := &Error{Code: p.auth[r.reason], Message: r.message, Status: http.StatusForbidden}
	if e.Code == "RequestTimeTooSkewed" { // S3's own sentence
		e.Message = "The difference between the request time and the current time is too large. " + e.Message
	}
	if status, ok := refusalStatus[r.reason]; ok {
		e.Status = status
	}
	if status, ok := p.statuses[e.Code]; ok {
		e.Status = status
	}
	return e
}
