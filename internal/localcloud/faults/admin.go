package faults

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"
)

// maxPlan bounds a plan that is sent, in bytes.
const maxPlan = 1 << 20

// ServeHTTP is the admin API: GET shows the rules and what each has done, PUT
// sets a plan, DELETE ends all faults. It answers requests from this machine
// only, since they need no signature.
func (i *Injector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !local(r.RemoteAddr) {
		http.Error(w, "faults are set from this machine only", http.StatusForbidden)
		return
	}
	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		i.Set(Plan{})
	case http.MethodPut:
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPlan))
		if err == nil {
			var p Plan
			if p, err = Parse(text); err == nil {
				i.Set(p)
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	default:
		w.Header().Set("Allow", "GET, PUT, DELETE")
		http.Error(w, "faults are shown by GET, set by PUT and ended by DELETE", http.StatusMethodNotAllowed)
		return
	}
	i.show(w)
}

func (i *Injector) show(w http.ResponseWriter) {
	seed, reports := i.Reports()
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(map[string]any{"seed": seed, "rules": reports}) // a client that has gone needs no answer
}

// local tells whether an address is of the loopback interface.
func local(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
