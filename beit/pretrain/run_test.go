package pretrain_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/tensor"
)

func TestRun(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	for _, c := range []struct {
		name       string
		set        []string
		have, lack []string
	}{
		{
			"codes", []string{"pretrain.visible=0"},
			[]string{
				"loss", "loss_mim", "loss_aggregation", "acc_mim", "acc_aggregation", "loss_cls_shuffled", "unigram_entropy", "acc_nearest_patch",
				"codes_used", "perplexity",
			}, []string{"loss_visible"},
		},
		{
			"plain", []string{"pretrain.model.aggregation.depth=0"},
			[]string{"loss_mim", "acc_mim"}, []string{"loss_aggregation", "loss_cls_shuffled", "acc_aggregation"},
		},
		{"hidden", []string{"pretrain.model.aggregation.hide=1"}, []string{"loss_mim", "loss_aggregation", "loss_cls_shuffled"}, nil},
		{"visible", nil, []string{"loss_mim", "loss_visible", "loss_aggregation", "loss_cls_shuffled"}, nil},
		{"features", []string{"pretrain.target=features"}, []string{"loss_mim", "loss_aggregation"}, []string{"acc_mim", "unigram_entropy"}},
		{"features of all patches", []string{"pretrain.target=features", "pretrain.feature_loss=all"}, []string{"loss_mim", "loss_visible"}, []string{"loss_cls"}},
		{"shuffled", []string{"pretrain.shuffle_codes=true"}, []string{"loss_mim", "unigram_entropy"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := runtest.Tiny(t, pretrain.Method, append(c.set, "pretrain.tokenizer="+tok, "train.epochs=1")...)
			res := runtest.Train(t, pretrain.Method, cfg, train.Env{})
			for _, key := range c.have {
				if v, ok := res.Final.Values[key]; !ok || v < 0 {
					t.Errorf("validation lacks %s: %+v", key, res.Final)
				}
			}
			for _, key := range c.lack {
				if _, ok := res.Final.Values[key]; ok {
					t.Errorf("validation has %s: %+v", key, res.Final)
				}
			}
			m := runtest.Open(t, res.Model)
			_, set, err := m.Build(tensor.CPU())
			if err != nil {
				t.Fatal(err)
			}
			defer set.Release()
			if set.Count() == 0 || m.Config.Method != "pretrain" || m.Method != pretrain.Method {
				t.Errorf("loaded %d parameters of method %s", set.Count(), m.Config.Method)
			}
		})
	}
}

// With the class token the loss is the mean over all tokens, of a teacher that has one.
func TestFeaturesOfClassToken(t *testing.T) {
	teacher := "tokenizer.teacher_file=" + runtest.Folder(t, dino.Method)
	tok := runtest.Folder(t, tokenizer.Method, "tokenizer.teacher=dino", teacher, "train.epochs=1")
	set := []string{"pretrain.target=features", "pretrain.feature_loss=all+cls", "pretrain.model.aggregation.depth=0", "train.epochs=1"}
	cfg := runtest.Tiny(t, pretrain.Method, append(set, "pretrain.tokenizer="+tok)...)
	v := runtest.Train(t, pretrain.Method, cfg, train.Env{}).Final.Values
	want := (6*v["loss_mim"] + 10*v["loss_visible"] + v["loss_cls"]) / 17 // 6 of 16 patches are masked
	if got := v["loss"]; !(v["loss_cls"] > 0) || math.Abs(got-want) > 1e-5 {
		t.Errorf("loss %g, want %g: %v", got, want, v)
	}
	cfg = runtest.Tiny(t, pretrain.Method, append(set, "pretrain.tokenizer="+runtest.Folder(t, tokenizer.Method))...)
	_, err := train.Run(t.Context(), filepath.Join(t.TempDir(), "run"), pretrain.Method, cfg, train.Env{Open: model.Opener()})
	if want := `pretrain.feature_loss = "all+cls": teacher hog has no class token; those of clip and dino have one`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// recorder notes which images are read, in order.
type recorder struct {
	data.Dataset
	mu   sync.Mutex
	read []int
}

func (r *recorder) Sample(i int) (data.Sample, error) {
	r.mu.Lock()
	r.read = append(r.read, i)
	r.mu.Unlock()
	return r.Dataset.Sample(i)
}

// Images that exchange class tokens must not be neighbours of one class folder. Every image is seen once.
func TestValidationMixesClasses(t *testing.T) {
	const batch, images = 4, 39
	val := &recorder{Dataset: data.Procedural(images, 16, 2)}
	cfg := runtest.Tiny(t, pretrain.Method, "pretrain.tokenizer="+runtest.Folder(t, tokenizer.Method), "train.epochs=1")
	runtest.Train(t, pretrain.Method, cfg, train.Env{Source: &data.Source{Train: data.Procedural(40, 16, 1), Val: val}})
	adjacent := 0
	for list := range slices.Chunk(val.read, batch) { // within a batch workers read in any order
		slices.Sort(list)
		if list[len(list)-1]-list[0] == len(list)-1 {
			adjacent++
		}
	}
	if adjacent > 1 { // the last batch is smaller
		t.Errorf("%d batches hold neighbours only: %v", adjacent, val.read)
	}
	slices.Sort(val.read)
	if len(val.read) != images || len(slices.Compact(val.read)) != images {
		t.Errorf("images read: %v, want each of %d once", val.read, images)
	}
}
