package splitmask_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/splitmask"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/tensor"
)

// A run writes its figures; without a weight, halves are no pairs.
func TestRun(t *testing.T) {
	tok := "splitmask.tokenizer=" + runtest.Folder(t, tokenizer.Method)
	for _, paired := range []bool{true, false} {
		set := []string{tok, "train.epochs=1"}
		if !paired {
			set = append(set, "splitmask.contrast.weight=0")
		}
		res := runtest.Train(t, splitmask.Method, runtest.Tiny(t, splitmask.Method, set...), train.Env{})
		for _, r := range traintest.Metrics(t, res.Dir) {
			v := r.Values
			_, pairs := v["acc_pairs"]
			_, contrast := v["loss_contrast"]
			if !(v["loss_mim"] > 0) || pairs != paired || contrast != paired || r.Kind == run.KindVal && !(v["unigram_entropy"] > 0 && v["acc_nearest_patch"] > 0) {
				t.Errorf("paired %v: %s record %v", paired, r.Kind, v)
			}
			if want := 2*v["loss_mim"] + v["loss_contrast"]; v["loss"] < want-1e-4 || v["loss"] > want+1e-4 {
				t.Errorf("paired %v: %s record: loss %g, want %g", paired, r.Kind, v["loss"], want)
			}
		}
	}
}

// An image without others is no pair: no run is trained on one alone, and one that validates alone has no InfoNCE.
func TestLoneImages(t *testing.T) {
	images, tok := data.Procedural(9, 16, 3), "splitmask.tokenizer="+runtest.Folder(t, tokenizer.Method)
	c := runtest.Tiny(t, splitmask.Method, tok, "train.epochs=1")
	one := train.Env{Open: model.Opener(), Source: &data.Source{Train: data.Subset(images, []int{0})}}
	_, err := train.Run(t.Context(), filepath.Join(t.TempDir(), "run"), splitmask.Method, c, one)
	if want := "config: train.batch = 1, "; err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), " (training images: 1)") {
		t.Errorf("error %v, want %s", err, want)
	}
	for val, whole := range map[int]bool{1: false, 5: true} { // batches of 4
		list := make([]int, val)
		for i := range list {
			list[i] = i
		}
		v := runtest.Train(t, splitmask.Method, c, train.Env{Source: &data.Source{Train: images, Val: data.Subset(images, list)}}).Final.Values
		_, loss := v["loss"]
		_, contrast := v["loss_contrast"]
		_, pairs := v["acc_pairs"]
		if !(v["loss_mim"] > 0) || loss != whole || contrast != whole || pairs != whole {
			t.Errorf("%d images validate: %v", val, v)
		}
	}
}

// Interrupted and resumed, a run ends with the same bytes.
func TestResume(t *testing.T) {
	c := runtest.Tiny(t, splitmask.Method, "log.every=3", "train.accumulation_steps=2", "splitmask.tokenizer="+runtest.Folder(t, tokenizer.Method))
	want := traintest.Contents(t, runtest.Train(t, splitmask.Method, c, train.Env{}).Dir, splitmask.Method)
	for _, after := range []int{1, 4, 7} {
		dir := filepath.Join(t.TempDir(), "run")
		runtest.Stopped(t, "train", after, func(ctx context.Context, env train.Env) error {
			_, err := train.Run(ctx, dir, splitmask.Method, c, env)
			return err
		})
		if _, err := train.Resume(context.Background(), dir, model.Methods(), train.Env{Open: model.Opener()}, nil); err != nil {
			t.Fatal(err)
		}
		if d := traintest.Differing(want, traintest.Contents(t, dir, splitmask.Method)); d != nil {
			t.Errorf("stopped after step %d: different %v", after, d)
		}
	}
}

// Eight images are learned by heart: nearly all codes of each half are known by the other, and halves find each other.
func TestOverfitsEightImages(t *testing.T) {
	images := data.Procedural(8, 16, 3)
	c := runtest.Tiny(t, splitmask.Method, "train.epochs=300", "train.lr=3e-3", "train.warmup_epochs=10", "train.batch=8", "data.augment=none",
		"splitmask.model.vit.drop_path=0", "splitmask.model.vit.width=64", "splitmask.model.decoder.width=64", "log.eval_every=300", "data.eval.batch=8",
		"log.checkpoint_epochs=300", "log.knn_every=0", "splitmask.tokenizer="+runtest.Folder(t, tokenizer.Method))
	v := runtest.Train(t, splitmask.Method, c, train.Env{Source: &data.Source{Train: images, Val: images}}).Final.Values
	if !(v["loss_mim"] < 0.3*v["unigram_entropy"] && v["acc_mim"] > v["acc_nearest_patch"] && v["acc_pairs"] > 0.9) {
		t.Errorf("after 300 steps: %v", v)
	}
	t.Log(v)
}

// The finished model gives features, and a classifier starts from it with mean pooling and absolute positions.
func TestFeatures(t *testing.T) {
	dir := runtest.Folder(t, splitmask.Method, "splitmask.tokenizer="+runtest.Folder(t, tokenizer.Method))
	e := runtest.Encoder(t, tensor.CPU(), dir)
	if e.Width() != 32 || e.Model.Kind != splitmask.Kind || e.ViT.Depth != 2 {
		t.Errorf("encoder of width %d, kind %s, %+v", e.Width(), e.Model.Kind, e.ViT)
	}
	c, start, err := finetune.Method.Configure("small32", "", []string{"init_from=" + dir}, model.Opener())
	if err != nil {
		t.Fatal(err)
	}
	start.Close()
	if v := finetune.SectionOf(c).Model; !v.MeanPool || !v.AbsPos || v.LayerScale != 0 || v.Width != 32 || v.ImageSize != 16 {
		t.Errorf("classifier %+v", v)
	}
}
