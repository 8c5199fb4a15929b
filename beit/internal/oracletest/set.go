package oracletest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/gobeit/gobeit/nn/state"
)

// Set is a folder of reference data with its manifest.
type Set struct {
	dir   string
	other bool // not the project's own
	files map[string]entry
}

// entry is a file of the manifest.
type entry struct {
	Bytes   int64               `json:"bytes"`
	SHA256  string              `json:"sha256"`
	Config  json.RawMessage     `json:"config"`
	Tensors map[string]expected `json:"tensors"`
}

// expected is a tensor of the manifest and its tolerances.
type expected struct {
	Shape       []int    `json:"shape"`
	Meaning     string   `json:"meaning"`
	Role        string   `json:"role"`
	Atol        *float64 `json:"atol"`
	L2RelTol    *float64 `json:"l2_rel_tol"`
	UpdateL2Tol *float64 `json:"update_l2_rel_tol"`
	Zero        bool     `json:"zero"` // but for rounding: compared by Atol alone
}

// Open reads the manifest of beit/testdata/oracle, or of the folder BEIT_ORACLE. A relative path starts at the root of the module,
// because every test runs in the folder of its own package.
func Open(t *testing.T) *Set { return openFolder(t, "oracle") }

// OpenMethods is Open for beit/testdata/oracle-methods, which has segmentation and methods whose networks are in their own folders.
func OpenMethods(t *testing.T) *Set { return openFolder(t, "oracle-methods") }

// OpenOwn is Open for beit/testdata/oracle-own, which has methods that this project wrote down a second time, for want of their authors' code.
func OpenOwn(t *testing.T) *Set { return openFolder(t, "oracle-own") }

func openFolder(t *testing.T, own string) *Set {
	t.Helper()
	s, err := open(os.Getenv("BEIT_ORACLE"), own)
	if err != nil {
		t.Fatalf("reference data: %v", err)
	}
	return s
}

// sets returns the project's sets, beit/testdata/oracle and beit/testdata/oracle-methods, or the one that BEIT_ORACLE names.
func sets(t *testing.T) []*Set {
	t.Helper()
	first := Open(t)
	if first.other {
		return []*Set{first}
	}
	return []*Set{first, OpenMethods(t)}
}

// open reads the manifest of dir or, where that is empty, of the project's own folder.
func open(dir, own string) (*Set, error) {
	s := &Set{dir: dir, other: dir != ""}
	if !filepath.IsAbs(dir) {
		root, err := moduleRoot()
		if err != nil {
			return nil, err
		}
		if !s.other {
			dir = filepath.Join("beit", "testdata", own)
		}
		s.dir = filepath.Join(root, dir)
	}
	var manifest struct {
		Files map[string]entry `json:"files"`
	}
	if err := readJSON(filepath.Join(s.dir, "manifest.json"), &manifest); err != nil {
		return nil, err
	}
	if len(manifest.Files) == 0 {
		return nil, fmt.Errorf("%s lists no files", filepath.Join(s.dir, "manifest.json"))
	}
	s.files = manifest.Files
	return s, nil
}

// moduleRoot returns the nearest parent folder with a go.mod.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod in %s or above it", start)
		}
	}
}

func readJSON(path string, to any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Names returns the names of the files of the manifest, sorted.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.files)) }

// Has reports whether the manifest has a file.
func (s *Set) Has(name string) bool {
	_, ok := s.files[name]
	return ok
}

// Path returns the path of a file, after a check of its size and SHA-256.
func (s *Set) Path(t *testing.T, name string) string {
	t.Helper()
	if err := s.verify(name); err != nil {
		t.Fatalf("reference data: %v", err)
	}
	return filepath.Join(s.dir, name)
}

// verified holds the outcome of verify for paths seen before, an error or nil: several devices read the same files.
var verified sync.Map

func (s *Set) verify(name string) error {
	path := filepath.Join(s.dir, name)
	if outcome, ok := verified.Load(path); ok {
		err, _ := outcome.(error)
		return err
	}
	err := s.compareSum(name, path)
	verified.Store(path, err)
	return err
}

func (s *Set) compareSum(name, path string) error {
	e, ok := s.files[name]
	if !ok {
		return fmt.Errorf("the manifest in %s does not list %s", s.dir, name)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(data); int64(len(data)) != e.Bytes || hex.EncodeToString(sum[:]) != e.SHA256 {
		return fmt.Errorf("%s is damaged: it has %d bytes with SHA-256 %x, the manifest says %d and %s", path, len(data), sum, e.Bytes, e.SHA256)
	}
	return nil
}

// Config decodes the configuration that a file was made with, from the manifest.
func (s *Set) Config(t *testing.T, name string, to any) {
	t.Helper()
	if err := json.Unmarshal(s.files[name].Config, to); err != nil {
		t.Fatalf("reference data: configuration of %s: %v", name, err)
	}
}

// JSON decodes a JSON file of the set.
func (s *Set) JSON(t *testing.T, name string, to any) {
	t.Helper()
	if err := readJSON(s.Path(t, name), to); err != nil {
		t.Fatalf("reference data: %v", err)
	}
}

// Safetensors opens a file of the set until the end of the test, decodes its configuration, and returns the names of its tensors, sorted.
// It checks that every tensor of the manifest is there with its shape.
func (s *Set) Safetensors(t *testing.T, name string, config any) (*state.File, []string) {
	t.Helper()
	f, err := state.OpenSafetensors(s.Path(t, name))
	if err != nil {
		t.Fatalf("reference data: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	s.Config(t, name, config)
	e := s.files[name]
	if len(e.Tensors) == 0 {
		t.Fatalf("reference data: the manifest lists no tensors of %s", name)
	}
	for tensor, want := range e.Tensors {
		if got, ok := f.Entry(tensor); !ok || !slices.Equal(got.Shape, want.Shape) {
			t.Fatalf("reference data: %s has %s in shape %v (there: %v), the manifest says %v", name, tensor, got.Shape, ok, want.Shape)
		}
	}
	return f, slices.Sorted(maps.Keys(e.Tensors))
}

// Unknown ends a test of something that has no check. It fails for the project's own set and skips with a message for another.
func (s *Set) Unknown(t *testing.T, format string, args ...any) {
	t.Helper()
	if s.other {
		t.Skipf(format, args...)
	}
	t.Fatalf(format, args...)
}

// Atol is the bound of the manifest on the absolute error of a tensor of a file.
func (s *Set) Atol(t *testing.T, file, name string) float64 {
	t.Helper()
	e, ok := s.files[file].Tensors[name]
	if !ok || e.Atol == nil {
		t.Fatalf("reference data: %s gives no tolerance of %s", file, name)
	}
	return *e.Atol
}
