package tokenizer_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/tensor"
)

// A tokenizer of every way to compare and to move codes learns, is saved and opened as what it is, and goes on with the same bytes when it
// was interrupted.
func TestEveryCodebook(t *testing.T) {
	m := tokenizer.Method
	for _, euclidean := range []bool{false, true} {
		for _, gradient := range []bool{false, true} {
			t.Run(fmt.Sprintf("euclidean=%v,codebook_gradient=%v", euclidean, gradient), func(t *testing.T) {
				cfg := runtest.Tiny(t, m, fmt.Sprint("tokenizer.model.euclidean=", euclidean),
					fmt.Sprint("tokenizer.model.codebook_gradient=", gradient), "train.epochs=8", "train.lr=3e-3", "train.clip=3")
				res := runtest.Train(t, m, cfg, train.Env{})
				records := traintest.Metrics(t, res.Dir)
				first, last := records[0].Values, res.Final.Values
				if last["loss_reconstruction"] > 0.9*first["loss_reconstruction"] || last["codes_used"] < 2 {
					t.Errorf("the first steps %v, the last validation %v", first, last)
				}
				sameCodes(t, res, euclidean)

				dir := filepath.Join(t.TempDir(), "run")
				runtest.Stopped(t, "train", 13, func(ctx context.Context, env train.Env) error {
					_, err := train.Run(ctx, dir, m, cfg, env)
					return err
				})
				if _, err := train.Resume(context.Background(), dir, model.Methods(), train.Env{Open: model.Opener()}, nil); err != nil {
					t.Fatal(err)
				}
				if d := traintest.Differing(traintest.Contents(t, res.Dir, m), traintest.Contents(t, dir, m)); d != nil {
					t.Errorf("interrupted: different %v", d)
				}
				runtest.Folder(t, pretrain.Method, "pretrain.tokenizer="+res.Dir, "train.epochs=1")
			})
		}
	}
}

// sameCodes checks that the saved tokenizer gives the codes of the run's last validation.
func sameCodes(t *testing.T, res *train.Result, euclidean bool) {
	t.Helper()
	tok, env := built(t, res.Dir), traintest.Env(t, tokenizer.Method, res.Config, nil)
	if tok.Config != tokenizer.SectionOf(res.Config).Model || tok.Config.Euclidean != euclidean {
		t.Errorf("opened as %+v", tok.Config)
	}
	codes, err := tok.Encode(context.Background(), env.Val, res.Config.Data.Eval, func(data.Skipped) {}, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	use := beit.UsageOf(codes, tok.Config.Codes)
	if v := res.Final.Values; float64(use.Used) != v["codes_used"] || use.Perplexity != v["perplexity"] {
		t.Errorf("codes of the saved tokenizer: %+v, in the last validation %v", use, v)
	}
	if h, err := model.Verify(tensor.CPU(), tok.VQKD, tok.Model.Input); err != nil || len(h.Findings) > 0 {
		t.Errorf("verified: %+v, error %v", h, err)
	}
}

// The codes of a tokenizer serve no run that compares them otherwise.
func TestStartFromOtherCodes(t *testing.T) {
	m := tokenizer.Method
	for _, euclidean := range []bool{false, true} {
		dir := runtest.Folder(t, m, fmt.Sprint("tokenizer.model.euclidean=", euclidean), "train.epochs=1")
		same := runtest.Tiny(t, m, fmt.Sprint("tokenizer.model.euclidean=", euclidean), "train.epochs=1", "init_from="+dir)
		runtest.Train(t, m, same, train.Env{})
		other := runtest.Tiny(t, m, fmt.Sprint("tokenizer.model.euclidean=", !euclidean), "init_from="+dir)
		_, err := train.Run(context.Background(), t.TempDir(), m, other, train.Env{Open: model.Opener()})
		if want := fmt.Sprint("set tokenizer.model.euclidean=", euclidean); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// A file under the authors' names does not say how codes are compared, so it is written for those that every reader compares alike.
func TestConvertedCodes(t *testing.T) {
	for _, euclidean := range []bool{false, true} {
		dir := runtest.Folder(t, tokenizer.Method, fmt.Sprint("tokenizer.model.euclidean=", euclidean), "train.epochs=1")
		m, out := runtest.Open(t, dir), filepath.Join(t.TempDir(), "official.safetensors")
		_, _, err := m.Weights.Convert(context.Background(), out, weights.Official, nil)
		if euclidean && (err == nil || !strings.Contains(err.Error(), "Euclidean")) || !euclidean && err != nil {
			t.Errorf("euclidean = %v: error %v", euclidean, err)
		}
	}
}
