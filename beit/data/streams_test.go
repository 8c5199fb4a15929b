package data

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The numbers of random streams are kept for ever: a run that was begun with others could not go on to the same result.
func TestGoldenStreams(t *testing.T) {
	got := map[string]uint64{
		"split": streamSplit, "order": streamOrder, "augment": streamAugment, "replace": streamReplace,
		"procedural": streamProcedural, "fraction": streamFraction,
	}
	want := map[string]uint64{
		"split":      0x6461746100,
		"order":      0x6461746101,
		"augment":    0x6461746102,
		"replace":    0x6461746103,
		"procedural": 0x6461746104,
		"fraction":   0x6461746105,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("streams (-want +got):\n%s", d)
	}
}
