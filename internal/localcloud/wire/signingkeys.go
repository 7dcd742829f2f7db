package wire

import "sync"

// maxKeys bounds the signing keys that are kept: a client may name any region.
const maxKeys = 256

// keyScope is what a signing key is derived from and good for.
type keyScope struct{ secret, date, region, service string }

// signingKeys keeps the keys of the latest scopes: four of the six hashes that a
// signature takes are the same for a whole day.
type signingKeys struct {
	mu   sync.Mutex
	kept map[keyScope][]byte
}

// of is the key of a scope. No keys at all keep none.
func (k *signingKeys) of(scope keyScope) []byte {
	if k == nil {
		return scope.derive()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key, kept := k.kept[scope]
	if kept {
		return key
	}
	if len(k.kept) == maxKeys {
		clear(k.kept)
	}
	key = scope.derive()
	k.kept[scope] = key
	return key
}
