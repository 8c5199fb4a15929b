package train

import (
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/state"
)

// setUp is the configuration that a run of a tokenizer begins with, and what is told.
func setUp(t *testing.T, fit bool, set ...string) (*config.Config, string) {
	t.Helper()
	heard := &traintest.Reporter{}
	l, err := newLoop(t.Context(), "", tokenizer.Method, tiny(t, tokenizer.Method, set...), opening(Env{Reporter: heard, FitImages: fit}), state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	return l.env.Config, strings.Join(heard.Notices, "\n")
}

// Settings that nobody chose follow from the images where the environment asks for it, and the run says so.
func TestSettingsFollowImages(t *testing.T) {
	dir := t.TempDir()
	all := "data.path=" + writeImages(t, dir, 20, slices.Repeat([]string{""}, 40)...)
	c, told := setUp(t, true, all)
	if c.Data.ValFraction != 0.1 || c.Train.Batch != 8 || !strings.Contains(told, "4 of them are set aside; set data.val_fraction to choose how many") {
		t.Errorf("data.val_fraction %g, batch %d, told %q", c.Data.ValFraction, c.Train.Batch, told)
	}
	if c, told := setUp(t, true, all, "train.epochs=60"); c.Log.EvalEvery != 3 ||
		!strings.Contains(told, "for 36 training images (in brackets preset small32): train.warmup_epochs 10 (1), log.checkpoint_epochs 3 (1), log.eval_every 3 (1); set these keys") {
		t.Errorf("log.eval_every %d, told %q", c.Log.EvalEvery, told)
	}
	if c, told := setUp(t, true, all, "train.epochs=60", "data.val_fraction=0"); c.Data.ValFraction != 0 || strings.Contains(told, "set aside") {
		t.Errorf("data.val_fraction %g, told %q", c.Data.ValFraction, told)
	}
	if c, told := setUp(t, false, all, "train.epochs=60"); c.Data.ValFraction != 0 || c.Log.EvalEvery != 1 || strings.Contains(told, "preset") {
		t.Errorf("unasked: data.val_fraction %g, log.eval_every %d, told %q", c.Data.ValFraction, c.Log.EvalEvery, told)
	}
	if c, told := setUp(t, true); c.Data.ValFraction != 0 || strings.Contains(told, "data.val_fraction") { // they have a validation part
		t.Errorf("data.val_fraction %g, told %q", c.Data.ValFraction, told)
	}
	one := "data.path=" + writeImages(t, t.TempDir(), 20, "")
	if c, told := setUp(t, true, one); c.Data.ValFraction != 0 || !strings.Contains(told, "there are no validation images") {
		t.Errorf("of one image %g are set aside, told %q", c.Data.ValFraction, told)
	}
}

// The values stand in config.toml, and a resumed run asks for none.
func TestFollowedSettingsAreWritten(t *testing.T) {
	m := tokenizer.Method
	images := "data.path=" + writeImages(t, t.TempDir(), 20, slices.Repeat([]string{""}, 40)...)
	dir := newDir(t)
	trainIn(t, dir, m, tiny(t, m, images, "train.epochs=25"), Env{FitImages: true})
	_, c, err := model.ReadConfig(dir)
	if err != nil || c.Data.ValFraction != 0.1 || c.Log.EvalEvery != 2 || c.Log.CheckpointEpochs != 2 {
		t.Errorf("config.toml: %+v, error %v", c, err)
	}
	want := traintest.Contents(t, dir, m)
	mustResume(t, dir, Env{FitImages: true})
	if d := traintest.Differing(want, traintest.Contents(t, dir, m)); d != nil {
		t.Errorf("resumed: different %v", d)
	}
	validated := 0
	for _, r := range traintest.Metrics(t, dir) {
		if _, ok := r.Values[method.KeyLoss]; !ok {
			validated++
		}
	}
	if validated != 13 { // of epochs 2, 4, … 24 and 25
		t.Errorf("%d validations", validated)
	}
}
