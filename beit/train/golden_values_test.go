package train

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/tensor"
)

// The values in this file are kept for ever: runs that were begun with others could not go on to the same result.

// The order of training images and their augmentation come from a stream that the text of the stage's name gives.
func TestGoldenStreamTexts(t *testing.T) {
	want := map[string]uint64{
		"tokenizer": 12646977705408686010,
		"pretrain":  1776142497130555900,
		"teacher":   1959029595251775989,
		"cae":       17717994471479871044,
		"mae":       580801731977104858,
		"splitmask": 615448131052145751,
		"segment":   9665345945525463302,
		"finetune":  8398326104032639723,
	}
	got := map[string]uint64{}
	for _, m := range model.Methods() {
		got[m.Stream] = tensor.HashString(m.Stream)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("streams of stages (-want +got):\n%s", d)
	}
}

// A checkpoint names the images of its run in this sentence, and is refused where it says something else.
func TestGoldenFingerprint(t *testing.T) {
	drawn := &method.Images{Train: data.Procedural(300, 32, 1), Val: data.Procedural(60, 32, 2)}
	if got, want := drawn.Fingerprint(), "300 training images (9039cdd5e0558cca), 60 validation images (1284e91008ecd58a)"; got != want {
		t.Errorf("fingerprint %q, want %q", got, want)
	}
	alone := &method.Images{Train: data.Procedural(300, 32, 1)}
	if got, want := alone.Fingerprint(), "300 training images (9039cdd5e0558cca), 0 validation images (0000000000000000)"; got != want {
		t.Errorf("fingerprint without validation images %q, want %q", got, want)
	}
}

// Checkpoints of older versions say pictures where new ones say images.
func TestGoldenOldFingerprint(t *testing.T) {
	const old, now = "300 training pictures (9039cdd5e0558cca), 60 validation pictures (1284e91008ecd58a)",
		"300 training images (9039cdd5e0558cca), 60 validation images (1284e91008ecd58a)"
	if config.CurrentData(old) != now || config.CurrentData(now) != now {
		t.Errorf("%q and %q differ", config.CurrentData(old), config.CurrentData(now))
	}
}

// Fingerprints are made of the names of images, and classifiers hold the names of classes. That of crosses has one s too many for ever.
func TestGoldenDrawnNames(t *testing.T) {
	drawn := data.Procedural(12, 32, 1)
	var got []string
	for i := range drawn.Len() {
		got = append(got, fmt.Sprintf("%d: %s", drawn.Label(i), drawn.Name(i)))
	}
	want := []string{
		"0: discs in a row 0",
		"1: discs in a cluster 1",
		"2: squares in a row 2",
		"3: squares in a cluster 3",
		"4: triangles in a row 4",
		"5: triangles in a cluster 5",
		"6: rings in a row 6",
		"7: rings in a cluster 7",
		"8: crosss in a row 8",
		"9: crosss in a cluster 9",
		"0: discs in a row 10",
		"1: discs in a cluster 11",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("labels and names (-want +got):\n%s", d)
	}
	classes := []string{
		"discs in a row", "discs in a cluster", "squares in a row", "squares in a cluster", "triangles in a row",
		"triangles in a cluster", "rings in a row", "rings in a cluster", "crosss in a row", "crosss in a cluster",
	}
	if d := cmp.Diff(classes, drawn.Classes()); d != "" {
		t.Errorf("classes (-want +got):\n%s", d)
	}
}
