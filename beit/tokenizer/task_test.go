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

// A record has the use of codes by the last 65,536 tokens alone.
func TestCodesOfTheWindow(t *testing.T) {
	const codes = 100
	task := &task{Env: &method.Env{}, model: &beit.VQKD{Config: beit.VQKDConfig{Codes: codes}}}
	for i, used := range []int{60, 100, 70, 50, 80} {
		list := make([]int32, beit.WindowTokens) // these fill the window
		for i := range list {
			list[i] = int32(i % used)
		}
		task.recent.Add(list)
		v := map[string]float64{}
		if task.StepFigures(v); v["codes_used"] != float64(used) {
			t.Errorf("interval %d: %g codes used, want %d", i, v["codes_used"], used)
		}
	}
}
