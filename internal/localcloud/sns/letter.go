package sns

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
)

// Types of messages.
const (
	notificationType = "Notification"
	confirmationType = "SubscriptionConfirmation"
	unsubscribedType = "UnsubscribeConfirmation"
)

// letter is a message under way to one subscription.
type letter struct {
	Type, Subscription, ID string
	At                     time.Time
	Subject                *string
	Message                string
	Token                  string
	Attributes             map[string]attribute
}

// control is a message about a subscription itself.
func (s *Service) control(kind string, sub *subscription, text string) letter {
	return letter{Type: kind, Subscription: sub.ARN, ID: uuid.NewString(), At: s.cfg.Now().UTC(), Message: text, Token: sub.Token}
}

func (s *Service) put(tx *bolt.Tx, sub *subscription, l letter) error {
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return s.deliveries.Put(tx, sub.ARN, body)
}

// envelope is a message as receivers get it, in the order of "HTTP/HTTPS notification
// JSON format" and its neighbours in the SNS developer guide.
type envelope struct {
	Type              string
	MessageID         string  `json:"MessageId"`
	Token             string  `json:",omitempty"`
	TopicARN          string  `json:"TopicArn"`
	Subject           *string `json:",omitempty"`
	Message           string
	SubscribeURL      string `json:",omitempty"`
	Timestamp         string
	SignatureVersion  string
	Signature         string
	SigningCertURL    string
	UnsubscribeURL    string               `json:",omitempty"`
	MessageAttributes map[string]attribute `json:",omitempty"`
}

// seal puts a letter into an envelope and signs it.
func (s *Service) seal(l letter, t *topic) (*envelope, error) {
	signer, err := s.ensureSigner()
	if err != nil {
		return nil, err
	}
	e := &envelope{Type: l.Type, MessageID: l.ID, Token: l.Token, TopicARN: t.ARN, Subject: l.Subject, Message: l.Message,
		Timestamp: l.At.Format("2006-01-02T15:04:05.000Z"), SignatureVersion: "2", SigningCertURL: s.cfg.URL + Path + signer.file, MessageAttributes: l.Attributes}
	if v := t.Attributes[signatureVersion]; v != "" {
		e.SignatureVersion = v
	}
	if l.Type == notificationType {
		e.UnsubscribeURL = s.address(url.Values{"Action": {"Unsubscribe"}, "SubscriptionArn": {l.Subscription}})
	} else {
		e.SubscribeURL = s.address(url.Values{"Action": {"ConfirmSubscription"}, "TopicArn": {t.ARN}, "Token": {l.Token}})
	}
	e.Signature, err = signer.sign(e.canonical(), e.SignatureVersion)
	return e, err
}

func (s *Service) address(query url.Values) string { return s.cfg.URL + Path + "?" + query.Encode() }

// canonical is what is signed, by "Verifying the signatures of Amazon SNS messages"
// of the SNS developer guide: names and values by line, in the order of the names.
func (e *envelope) canonical() string {
	var b strings.Builder
	line := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	line("Message", e.Message)
	line("MessageId", e.MessageID)
	if e.Type == notificationType {
		if e.Subject != nil {
			line("Subject", *e.Subject)
		}
	} else {
		line("SubscribeURL", e.SubscribeURL)
	}
	line("Timestamp", e.Timestamp)
	if e.Type != notificationType {
		line("Token", e.Token)
	}
	line("TopicArn", e.TopicARN)
	line("Type", e.Type)
	return b.String()
}

// text is the body of a request.
func (e *envelope) text() ([]byte, error) {
	var b bytes.Buffer
	j := json.NewEncoder(&b)
	j.SetEscapeHTML(false)
	j.SetIndent("", "  ")
	err := j.Encode(e)
	return bytes.TrimSpace(b.Bytes()), err
}
