package sagemaker

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"mime"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/google/uuid"
)

// The lines of captured data, as Model Monitor's format has them.
type (
	captureLine struct {
		CaptureData   captureData   `json:"captureData"`
		EventMetadata eventMetadata `json:"eventMetadata"`
		EventVersion  string        `json:"eventVersion"`
	}
	captureData struct {
		EndpointInput  *observation `json:"endpointInput,omitempty"`
		EndpointOutput *observation `json:"endpointOutput,omitempty"`
	}
	observation struct {
		ObservedContentType string `json:"observedContentType"`
		Mode                string `json:"mode"`
		Data                string `json:"data"`
		Encoding            string `json:"encoding"`
	}
	eventMetadata struct {
		EventID       string `json:"eventId"`
		InferenceID   string `json:"inferenceId,omitempty"`
		InferenceTime string `json:"inferenceTime"`
	}
)

// capture spools an answered invocation when its turn comes.
func (c *invocation) capture(routes *routes, v *variant, a *answer) error {
	conf := routes.capture
	if !captures(conf) || rand.IntN(100) >= int(*conf.InitialSamplingPercentage) {
		return nil
	}
	if len(a.body) > maxBody {
		return fmt.Errorf("a streamed answer is larger than %d bytes", maxBody)
	}
	now := time.Now().UTC()
	line := captureLine{EventVersion: "0", EventMetadata: eventMetadata{
		EventID: uuid.NewString(), InferenceID: c.header.Get(headerInference), InferenceTime: now.Format(time.RFC3339)}}
	for _, o := range conf.CaptureOptions {
		if o.CaptureMode != types.CaptureModeOutput {
			line.CaptureData.EndpointInput = observe(conf, "INPUT", c.header.Get("Content-Type"), c.body)
		}
		if o.CaptureMode != types.CaptureModeInput {
			line.CaptureData.EndpointOutput = observe(conf, "OUTPUT", a.header.Get("Content-Type"), a.body)
		}
	}
	var data bytes.Buffer
	enc := json.NewEncoder(&data)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(line); err != nil {
		return err
	}
	at, err := parseLocation("DestinationS3Uri", *conf.DestinationS3Uri)
	if err != nil {
		return err
	}
	folder := path.Join(at.bucket, at.key, c.endpoint.name, v.spec.Name, now.Format("2006/01/02/15"))
	return c.service.spool.append(folder, now, data.Bytes())
}

// observe keeps a body as text when its content type is listed, else as
// base64.
func observe(conf *types.DataCaptureConfig, mode, contentType string, body []byte) *observation {
	o := &observation{ObservedContentType: contentType, Mode: mode, Encoding: "BASE64"}
	if h := conf.CaptureContentTypeHeader; h != nil && utf8.Valid(body) {
		switch {
		case listed(h.CsvContentTypes, contentType):
			o.Encoding = "CSV"
		case listed(h.JsonContentTypes, contentType):
			o.Encoding = "JSON"
		}
	}
	if o.Data = string(body); o.Encoding == "BASE64" {
		o.Data = base64.StdEncoding.EncodeToString(body)
	}
	return o
}

func listed(list []string, contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && slices.ContainsFunc(list, func(l string) bool { return strings.EqualFold(l, kind) })
}
