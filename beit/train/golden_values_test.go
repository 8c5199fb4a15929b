package train

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// The values in this file are kept for ever: runs that were begun with others could not go on to the same result.

// Streams of random numbers are told apart by these.
func TestGoldenStreams(t *testing.T) {
	got := map[string]uint64{
		"limit": streamLimit, "k-means": streamKMeans, "teacher": streamTeacher, "mask": streamMask, "mask in validation": streamMaskVal,
		"shuffle": streamShuffle, "marks": streamMarks, "distillation in validation": streamDistillVal, "mix": streamMix, "swap": streamSwap,
	}
	want := map[string]uint64{
		"limit":                      0x747261696e00,
		"k-means":                    0x747261696e01,
		"teacher":                    0x747261696e02,
		"mask":                       0x747261696e03,
		"mask in validation":         0x747261696e04,
		"shuffle":                    0x747261696e05,
		"marks":                      0x747261696e06,
		"distillation in validation": 0x747261696e07,
		"mix":                        0x747261696e08,
		"swap":                       0x73776170,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("streams (-want +got):\n%s", d)
	}
}

// The order of training images and their augmentation come from a stream that the text of the stage's name gives.
func TestGoldenStreamTexts(t *testing.T) {
	want := map[string]uint64{
		"tokenizer": 12646977705408686010,
		"pretrain":  1776142497130555900,
		"teacher":   1959029595251775989,
		"finetune":  8398326104032639723,
	}
	got := map[string]uint64{}
	for _, s := range Stages() {
		got[string(s)] = tensor.HashString(string(s))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("streams of stages (-want +got):\n%s", d)
	}
}

// A checkpoint names the images of its run in this sentence, and is refused where it says something else.
func TestGoldenFingerprint(t *testing.T) {
	drawn := &pictures{train: data.Procedural(300, 32, 1), val: data.Procedural(60, 32, 2)}
	if got, want := drawn.fingerprint(), "300 training pictures (9039cdd5e0558cca), 60 validation pictures (1284e91008ecd58a)"; got != want {
		t.Errorf("fingerprint %q, want %q", got, want)
	}
	alone := &pictures{train: data.Procedural(300, 32, 1)}
	if got, want := alone.fingerprint(), "300 training pictures (9039cdd5e0558cca), 0 validation pictures (0000000000000000)"; got != want {
		t.Errorf("fingerprint without validation images %q, want %q", got, want)
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
