// Package casestest reads inputs from the field with what is right for each: images that other programs read, folders and archives as people have
// them, weights as they are shared. A case is a folder with its input and case.json. Only tests import this package.
//
//	for _, c := range casestest.All(t) {
//		if c.Expected.SHA256 != "" { … }
//	}
//
// Each test takes the cases of its kind. The folder of cases is testdata, or what the environment variable BEIT_CASES names: another folder of this
// form is only another name. Names of such tests contain "Cases".
package casestest

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Case is one input.
type Case struct {
	Name      string // of its folder
	Dir       string
	Situation string   `json:"situation"`
	Input     string   `json:"input"`   // a file or folder in Dir
	Command   string   `json:"command"` // that meets it
	Expected  Expected `json:"expected"`
	MayRefuse bool     `json:"may_refuse"` // an error that names what the input is will do
	Transpose bool     `json:"upright"`    // the EXIF orientation is followed
}

// Expected says what is right. Which fields are set is the kind of the case.
type Expected struct {
	// Pixels of an image. Those of Reference may differ by Tolerance a channel. At 255 the data are damaged, and only the size is certain.
	Width     int    `json:"width"`
	Height    int    `json:"height"`
	SHA256    string `json:"sha256_of_rgb"`
	Tolerance int    `json:"tolerance_per_channel"`

	Names   []string `json:"names"`   // of images in a source
	Classes []string `json:"classes"` // of its images
	Or      string   `json:"or"`      // what will do instead, in words

	Message string `json:"message"` // what an error says, in words
	Output  string `json:"output"`  // what the command prints, in words
	RC      string `json:"rc"`      // with which status the command ends, in words

	Digest string `json:"digest_of_sorted_name_dtype_shape_sha256"` // of all tensors

	HiddenAct  string   `json:"hidden_act"`
	Norm       string   `json:"norm"`
	ClassNames []string `json:"class_names"`
}

// Path returns the path of the input.
func (c Case) Path() string { return filepath.Join(c.Dir, c.Input) }

// Reference returns the right pixels, row after row, red first, or nil where the case has only their SHA256.
func (c Case) Reference(t testing.TB) []byte {
	b, err := os.ReadFile(filepath.Join(c.Dir, "reference.rgb"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return b
}

// All returns the cases in order of name.
func All(t testing.TB) []Case {
	t.Helper()
	dir := os.Getenv("BEIT_CASES")
	if dir == "" {
		dir = filepath.Join(moduleRoot(t), "beit", "casestest", "testdata")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "case.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no case.json in its folders (%v)", dir, err)
	}
	var all []Case
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := Case{Dir: filepath.Dir(file)}
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		c.Name = filepath.Base(c.Dir)
		c.unpack(t)
		all = append(all, c)
	}
	return all
}

// moduleRoot is the folder with go.mod above that of the test. Names of source files do not lead there: with -trimpath they are no paths.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	t.Fatalf("there is no go.mod above this folder, %s (%v)", dir, err)
	return ""
}

// unpack extracts an input whose names no repository of Go code may have: it is there as INPUT.tar.
func (c *Case) unpack(t testing.TB) {
	packed := c.Path() + ".tar"
	if _, err := os.Lstat(c.Path()); err == nil {
		return
	}
	f, err := os.Open(packed)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c.Dir = t.TempDir()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err == nil {
			err = extract(filepath.Join(c.Dir, h.Name), h, r)
		}
		if err != nil {
			t.Fatalf("%s: %v", packed, err)
		}
	}
}

func extract(to string, h *tar.Header, r io.Reader) error {
	if h.Typeflag == tar.TypeDir {
		return os.MkdirAll(to, 0o777)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o666)
}
