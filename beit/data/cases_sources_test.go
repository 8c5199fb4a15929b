package data

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/casestest"
)

// Folders, archives and lists as people have them give the images that they hold, and the classes.
func TestCasesSources(t *testing.T) {
	for _, c := range casestest.All(t) {
		if c.Expected.Names == nil {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			src, err := Open(pathOf(c), DefaultLimits)
			if err != nil {
				if c.Expected.Or == "" {
					t.Fatal(err)
				}
				t.Skipf("refused, which will do (%s): %v", c.Expected.Or, err)
			}
			defer src.Close()
			// The names are those that "beit tokenizer encode" writes: of the training images.
			names := namesOf(src.Train)
			slices.Sort(names)
			if d := cmp.Diff(c.Expected.Names, names); d != "" && (c.Expected.Or == "" || !strings.Contains(c.Expected.Or, "warning") || len(src.LeftOut) == 0) {
				t.Errorf("names (-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.Expected.Classes, src.Train.Classes()); d != "" && c.Expected.Classes != nil {
				t.Errorf("classes (-want +got):\n%s", d)
			}
			for i := range src.Train.Len() {
				if _, err := src.Train.Sample(i); err != nil {
					t.Errorf("image %d: %v", i, err)
				}
			}
		})
	}
}

// An archive that is compressed with gzip is read; what says the same of other compressions names the remedy.
func TestCasesCompressedArchive(t *testing.T) {
	for _, c := range casestest.All(t) {
		if !strings.HasSuffix(c.Input, ".tar.gz") {
			continue
		}
		src, err := Open(c.Path(), DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		defer src.Close()
		for i := range src.Train.Len() {
			if _, err := src.Train.Sample(i); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
	}
}

// pathOf is the path that a case's command gives to --data: the input, or a list in it.
func pathOf(c casestest.Case) string {
	_, rest, _ := strings.Cut(c.Command, "--data ")
	name, _, _ := strings.Cut(rest, " ")
	if path := filepath.Join(c.Dir, name); strings.HasPrefix(name, c.Input+"/") {
		return path
	}
	return c.Path()
}
