package sns

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/sns"

	"steward/internal/localcloud/wire"
)

// ServeHTTP answers what receivers ask for under [Path]: the certificate, and the
// addresses in messages.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodGet:
		http.Error(w, "only GET is answered here", http.StatusMethodNotAllowed)
	case r.URL.Path == Path:
		wire.QueryHandler("sns", Namespace, wire.Operations{
			"ConfirmSubscription": wire.Op(func(_ context.Context, in *sns.ConfirmSubscriptionInput) (*sns.ConfirmSubscriptionOutput, error) {
				return s.confirmed(in, false)
			}),
			"Unsubscribe": wire.Op(func(_ context.Context, in *sns.UnsubscribeInput) (*sns.UnsubscribeOutput, error) {
				return s.end(in, false)
			}),
		}).ServeHTTP(w, r)
	default:
		s.serveCertificate(w, r)
	}
}

func (s *Service) serveCertificate(w http.ResponseWriter, r *http.Request) {
	signer, err := s.ensureSigner()
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case r.URL.Path != Path+signer.file:
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(signer.pem) // a client that has gone needs no answer
	}
}
