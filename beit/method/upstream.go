package method

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/config"
)

// Upstream is a model that a method needs beside its own.
type Upstream struct {
	Role  string // its key in Upstreams: "tokenizer", "teacher"
	Key   string // of the configuration that names the path
	Path  string // file or run folder
	Fixed bool   // a resumed run must find the same weights
}

// UpstreamKey is the key by which configuration c of m names the model of a role; empty where it needs none, or tells so by another model alone.
func (m *Method) UpstreamKey(c *config.Config, role string) string {
	if m.Upstream != nil {
		for _, u := range m.Upstream(c, nil) {
			if u.Role == role {
				return u.Key
			}
		}
	}
	return ""
}

// Upstreams are opened models by their roles.
type Upstreams map[string]*Model

// Close closes the files.
func (u Upstreams) Close() {
	for _, m := range u {
		m.Close()
	}
}

// Opener opens the model in a file or run folder. key chooses one of several in a file; it may be empty.
type Opener func(path, key string) (*Model, error)

// OpenUpstream opens the models that c needs.
func (m *Method) OpenUpstream(c *config.Config, open Opener) (have Upstreams, err error) {
	have = Upstreams{}
	if m.Upstream == nil {
		return have, nil
	}
	for more := true; more && err == nil; {
		more = false
		for _, u := range m.Upstream(c, have) {
			if have[u.Role] != nil {
				continue
			}
			if have[u.Role], err = openOne(u, open); err != nil {
				delete(have, u.Role)
				break
			}
			more = true
		}
	}
	if err != nil {
		have.Close()
		return nil, err
	}
	return have, nil
}

// FixedRole is the role of the model that a resumed run must find with the same weights; empty where there is none.
func (m *Method) FixedRole(c *config.Config, have Upstreams) string {
	if m.Upstream != nil {
		for _, u := range m.Upstream(c, have) {
			if u.Fixed {
				return u.Role
			}
		}
	}
	return ""
}

func openOne(u Upstream, open Opener) (*Model, error) {
	if u.Path == "" {
		return nil, fmt.Errorf("%s: name the run or file of a %s", u.Key, u.Role)
	}
	m, err := open(u.Path, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u.Key, err)
	}
	return m, nil
}
