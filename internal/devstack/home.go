package devstack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"steward/internal/evidence"
)

// Home is the directory that holds what outlives a process:
//
//	users.json        the people whom the gateway knows
//	tokens/<subject>  the tokens of the people of the embedded stack
//	keys/             decisions.pem signs decisions; *.pub.pem verify them, one file a key; session signs logins
//	env               how to reach the embedded stack, as KEY=value
//	images.json       commands for container images of one's own (optional)
//	events.json       where events of the local cloud go (optional)
//	cloud/            the local cloud
//	temporal.db       the embedded Temporal server
//	temporal.at       its address and process, as it was started last
//	lock              held by the running stack, with its process id
//	demo              the home was made by a demo, which may remove it
//	logs/             what the processes say
type Home struct{ dir string }

// At names a home directory without touching it.
func At(dir string) (Home, error) {
	full, err := filepath.Abs(dir)
	return Home{full}, err
}

// Make makes what is missing of a home for the embedded stack: keys, people
// with their tokens, credentials of the local cloud. What is there stays.
func Make(dir string) (Home, error) {
	h, err := At(dir)
	if err != nil {
		return h, err
	}
	for _, sub := range []string{"", "keys", "tokens", "cloud", "logs"} {
		if err := os.MkdirAll(h.path(sub), 0o700); err != nil {
			return h, fmt.Errorf("home: %w", err)
		}
	}
	if _, err := h.signer(); err != nil {
		return h, fmt.Errorf("home: %w", err)
	}
	if err := h.makeUsers(); err != nil {
		return h, fmt.Errorf("home %s: %w", h.dir, err)
	}
	if err := h.makeEnv(); err != nil {
		return h, fmt.Errorf("home %s: %w", h.dir, err)
	}
	return h, nil
}

func (h Home) path(parts ...string) string {
	return filepath.Join(append([]string{h.dir}, parts...)...)
}

// Dir is the directory.
func (h Home) Dir() string { return h.dir }

// signer opens the key that signs decisions, making it at first use, and leaves
// its public half for the workers, under the key's own name: that of a key which
// was replaced stays.
func (h Home) signer() (*evidence.Signer, error) {
	signer, err := evidence.OpenSigner(h.path("keys", "decisions.pem"))
	if err != nil {
		return nil, err
	}
	public, err := signer.PublicPEM()
	if err != nil {
		return nil, err
	}
	return signer, writeNew(h.path("keys", evidence.KeyID(signer.Public())+".pub.pem"), public)
}

// Keyring is the public keys whose signatures count: every keys/*.pub.pem, so
// that a key that was replaced is still believed.
func (h Home) Keyring() (*evidence.Keyring, error) {
	names, err := filepath.Glob(h.path("keys", "*.pub.pem"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no public key in %s: copy those of the gateway's keys folder there, or run `steward init`", h.path("keys"))
	}
	return evidence.LoadKeyring(names...)
}

// writeNew writes a whole file for its owner only, or leaves the one that is
// there.
func writeNew(name string, text []byte) error {
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return replace(name, text)
}

// replace writes a whole file for its owner only, or changes nothing.
func replace(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*") // made for its owner only
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
