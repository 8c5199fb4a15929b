package tokenizer

import (
	"context"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
)

// Images that are shown alike in every epoch give k-means their tokens once, and random crops as many as it asks for.
func TestKMeansWithoutAugmentation(t *testing.T) {
	for augment, want := range map[string]string{
		config.AugmentNone: "from 640 tokens", config.AugmentCrop: "from 1024 tokens", // of 40 images, or of 8 batches of 8
	} {
		e := traintest.Env(t, Method, traintest.Tiny(t, Method, "data.augment="+augment, "tokenizer.kmeans_tokens=1000"), nil)
		heard := &traintest.Reporter{}
		e.Reporter = heard
		if err := traintest.Task(t, e).(*task).initCodebook(context.Background()); err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(heard.Notices, "\n"); !strings.Contains(all, want) {
			t.Errorf("%s: notices %q, want %q", augment, all, want)
		}
	}
}

// Images that cannot be read are not among those that a report counts.
func TestReportCountsMeasuredImages(t *testing.T) {
	val := traintest.Spoiled{Dataset: data.Procedural(10, 16, 2), Bad: func(i int) bool { return i == 3 }}
	c := traintest.Tiny(t, Method, "data.max_unreadable=0.5")
	e := traintest.Env(t, Method, c, &data.Source{Train: data.Procedural(40, 16, 1), Val: val})
	task := traintest.Task(t, e).(*task)
	if rep, err := measure(context.Background(), e, task.model, task.teacher); err != nil || rep.Images != 9 {
		t.Errorf("%+v, error %v, want 9 images", rep, err)
	}
}

// TestDyingCodes checks the warning about codes that fall out of use: below 70 % of the most so far, once for each fall, by the last
// 65,536 tokens alone.
func TestDyingCodes(t *testing.T) {
	const codes = 100
	heard := &traintest.Reporter{}
	task := &task{Env: &method.Env{Reporter: heard}, model: &beit.VQKD{Config: beit.VQKDConfig{Codes: codes}}}
	see := func(used int) {
		list := make([]int32, beit.WindowTokens) // these fill the window
		for i := range list {
			list[i] = int32(i % used)
		}
		task.recent.Add(list)
	}
	for i, c := range []struct{ used, warnings int }{
		{60, 0}, {100, 0}, {70, 0}, {69, 1}, {50, 1}, {80, 1}, {60, 2},
	} {
		see(c.used)
		v := map[string]float64{}
		task.StepFigures(v)
		if v["codes_used"] != float64(c.used) || len(heard.Warnings) != c.warnings {
			t.Errorf("interval %d: %g codes used, want %d; %d warnings, want %d", i, v["codes_used"], c.used, len(heard.Warnings), c.warnings)
		}
	}
	if len(heard.Warnings) > 0 && !strings.Contains(heard.Warnings[0], "69 of 100 codes, and once they used 100") {
		t.Errorf("warning %q", heard.Warnings[0])
	}
}
