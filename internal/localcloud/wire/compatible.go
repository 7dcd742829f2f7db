package wire

import (
	"cmp"
	"net/http"
)

// queryCodes are the codes that a service gave to its errors when it spoke
// awsQuery, where they differ: SDKs go on telling the old ones (the
// trait awsQueryError in CloudWatch's model).
var queryCodes = map[string]string{
	"DashboardInvalidInputError":           "InvalidParameterInput",
	"DashboardNotFoundError":               "ResourceNotFound",
	"InternalServiceFault":                 "InternalServiceError",
	"InvalidFormatFault":                   "InvalidFormat",
	"InvalidParameterCombinationException": "InvalidParameterCombination",
	"InvalidParameterValueException":       "InvalidParameterValue",
	"LimitExceededFault":                   "LimitExceeded",
	"MissingRequiredParameterException":    "MissingParameter",
	"ValidationException":                  "ValidationError",
}

func tellQueryCode(w http.ResponseWriter, e *Error) {
	fault := "Sender"
	if e.status() >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	w.Header().Set("X-Amzn-Query-Error", cmp.Or(queryCodes[e.Code], e.Code)+";"+fault)
}

// QueryCompatibleJSON is a service of awsJson 1.0 that spoke awsQuery before, as
// botocore speaks with CloudWatch.
func QueryCompatibleJSON(signingName, targetPrefix string, ops Operations) Service {
	s := JSON(signingName, targetPrefix, ops)
	s.answers.writeError = func(w http.ResponseWriter, e *Error) {
		tellQueryCode(w, e)
		writeJSONError(w, e)
	}
	s.handler = jsonHandler(targetPrefix, ops, s.answers.writeError)
	return s
}
