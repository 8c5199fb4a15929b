package train

import (
	"context"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn/state"
)

// Pictures that are shown alike in every epoch give k-means their tokens once, and drawn ones as many as it asks for.
func TestKMeansWithoutAugmentation(t *testing.T) {
	for augment, want := range map[string]string{augmentNone: "from 640 tokens", augmentCrop: "from 1024 tokens"} { // 40 pictures, 8 batches of 8
		s := &stopper{}
		r, err := newRun(t.TempDir(), tiny(t, Tokenizer, "data.augment="+augment, "tokenizer.kmeans_tokens=1000"), Env{Reporter: s}, state.WriteFileAtomic)
		if err != nil {
			t.Fatal(err)
		}
		defer r.close()
		if err := r.task.(*tokenizerTask).initCodebook(context.Background()); err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(s.notices, "\n"); !strings.Contains(all, want) {
			t.Errorf("%s: notices %q, want %q", augment, all, want)
		}
	}
}

// Pictures that cannot be read are not among those that a report counts.
func TestReportCountsMeasuredPictures(t *testing.T) {
	val := spoiled{data.Procedural(10, 16, 2), func(i int) bool { return i == 3 }}
	cfg := tiny(t, Tokenizer, "data.unreadable=0.5")
	r, err := newRun(t.TempDir(), cfg, Env{Source: &data.Source{Train: data.Procedural(40, 16, 1), Val: val}}, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	task := r.task.(*tokenizerTask)
	if rep, err := r.measureTokenizer(context.Background(), task.model, task.teacher); err != nil || rep.Pictures != 9 {
		t.Errorf("%+v, error %v, want 9 pictures", rep, err)
	}
}

// TestDyingCodes checks the warning about codes that fall out of use: below 70 % of the most so far, once for each fall, by the last
// 65,536 tokens alone.
func TestDyingCodes(t *testing.T) {
	const codes = 100
	hears := &stopper{}
	task := &tokenizerTask{r: &run{env: Env{Reporter: hears}}, model: &beit.VQKD{Config: beit.VQKDConfig{Codes: codes}}}
	see := func(used int) {
		list := make([]int32, windowTokens) // these fill the window
		for i := range list {
			list[i] = int32(i % used)
		}
		task.recent.add(list)
	}
	for i, c := range []struct{ used, warnings int }{
		{60, 0}, {100, 0}, {70, 0}, {69, 1}, {50, 1}, {80, 1}, {60, 2},
	} {
		see(c.used)
		v := map[string]float64{}
		task.describe(v)
		if v["codes_used"] != float64(c.used) || len(hears.warnings) != c.warnings {
			t.Errorf("interval %d: %g codes used, want %d; %d warnings, want %d", i, v["codes_used"], c.used, len(hears.warnings), c.warnings)
		}
	}
	if len(hears.warnings) > 0 && !strings.Contains(hears.warnings[0], "69 of 100 codes, and once they used 100") {
		t.Errorf("warning %q", hears.warnings[0])
	}
}
