package target

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/weights"
)

// Names stand in configurations and on the command line: they are distinct and stay.
func TestKinds(t *testing.T) {
	if d := cmp.Diff([]string{"codes", "features"}, Names()[:2]); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
	seen := map[string]bool{}
	for _, k := range Kinds {
		if seen[k.Name] || seen[k.Method] || k.Name == "" || k.Method == "" || k.Title == "" || k.New == nil || k.Tokenizer != "" && !weights.Known(k.Tokenizer) {
			t.Errorf("kind %+v", k)
		}
		seen[k.Name], seen[k.Method] = true, true
		found, ok := Find(k.Name)
		if !ok || found.Method != k.Method {
			t.Errorf("%s is found as %+v", k.Name, found)
		}
	}
	if k, ok := Find("pixels"); ok {
		t.Errorf("found %+v", k)
	}
}

// What a head predicts is as wide as the codebook, or as a teacher's features.
func TestDims(t *testing.T) {
	hog, err := beit.NewHOG(32, 8, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := Sources{Tokenizer: &beit.VQKD{Config: beit.VQKDConfig{Codes: 512}}, Teacher: hog}
	for name, want := range map[string]int{"codes": 512, "features": hog.Dim()} {
		k, _ := Find(name)
		if got := k.New(s).Dim(); got != want {
			t.Errorf("%s: %d dimensions, want %d", name, got, want)
		}
		if k.NeedsTeacher != (name == "features") {
			t.Errorf("%s: needs a teacher: %v", name, k.NeedsTeacher)
		}
	}
}
