package infer_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

func openPredictor(t *testing.T) *infer.Predictor {
	t.Helper()
	p, err := infer.OpenPredictor(runs.backbone, "", infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// Predictions are those of the network for the masked image, sorted, and the true codes are the tokenizer's for the whole one.
func TestPredict(t *testing.T) {
	p := openPredictor(t)
	mask := p.Mask(7)
	if n := counted(mask); n != 6 || len(mask) != 16 || !cmp.Equal(mask, p.Mask(7)) || cmp.Equal(mask, p.Mask(8)) {
		t.Fatalf("mask %v", mask)
	}
	got, err := p.Predict(drawing(1), mask, 5)
	if err != nil {
		t.Fatal(err)
	}
	codes, err := openTokenizer(t).Encode(drawing(1))
	if err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(got.True, codes.Index) || !cmp.Equal(got.Mask, mask) || got.Rows != 4 || got.Cols != 4 {
		t.Errorf("true codes %v, of the tokenizer %v", got.True, codes.Index)
	}
	want := logits(t, p, mask)
	r := 0
	for i, on := range mask {
		if !on {
			continue
		}
		patch := got.Patches[r]
		if patch.Row != i/4 || patch.Col != i%4 || patch.True.Code != codes.Index[i] || len(patch.Likeliest) != 5 {
			t.Fatalf("masked patch %d: %+v", r, patch)
		}
		row, sum := want[32*r:32*(r+1)], 0.0
		for _, v := range row {
			sum += math.Exp(float64(v))
		}
		for j, g := range append([]infer.Guess{patch.True}, patch.Likeliest...) {
			if p := math.Exp(float64(row[g.Code])) / sum; math.Abs(p-float64(g.Probability)) > 1e-5 {
				t.Errorf("masked patch %d: code %d has probability %g, want %g", r, g.Code, g.Probability, p)
			}
			if j > 1 && g.Probability > patch.Likeliest[j-2].Probability {
				t.Errorf("masked patch %d: %v is not sorted", r, patch.Likeliest)
			}
		}
		for code := range int32(32) {
			larger := math.Exp(float64(row[code]))/sum > float64(patch.Likeliest[4].Probability)+1e-6
			if larger && !listed(patch.Likeliest, code) {
				t.Errorf("masked patch %d: code %d is likelier than the fifth", r, code)
			}
		}
		r++
	}
	if r != len(got.Patches) {
		t.Errorf("%d predictions for %d masked patches", len(got.Patches), r)
	}
}

// logits are those of the MIM head for drawing(1), computed without this package, [R, 32].
func logits(t *testing.T, p *infer.Predictor, mask []bool) []float32 {
	t.Helper()
	m, err := model.Open(runs.backbone)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	network, set, err := m.Build(tensor.CPU())
	if err != nil {
		t.Fatal(err)
	}
	defer set.Release()
	seen, err := p.Seen(drawing(1))
	if err != nil {
		t.Fatal(err)
	}
	pixels := make([]float32, len(seen.Pix))
	data.ToFloat(pixels, seen, m.Input.Norm, false)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	images := tape.Own(tensor.FromSlice(tensor.CPU(), pixels, 1, 3, 16, 16))
	res := network.(*beit.MIM).Forward(nn.Context{Tape: tape}, images, mask, beit.GivenCodes(make([]int32, 16)))
	return res.LogitsMIM.Value().Float32s()
}

func counted(mask []bool) (n int) {
	for _, on := range mask {
		if on {
			n++
		}
	}
	return n
}

func listed(list []infer.Guess, code int32) bool {
	for _, g := range list {
		if g.Code == code {
			return true
		}
	}
	return false
}

// Many goroutines get what one gets. Run with -race.
func TestPredictConcurrently(t *testing.T) {
	p := openPredictor(t)
	teacher, err := p.Tokenizer().OpenTeacher(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer teacher.Close()
	type result struct {
		prediction *infer.Prediction
		cosines    []float32
		attention  *infer.Attention
	}
	compute := func() (r result, err error) {
		if r.prediction, err = p.Predict(drawing(1), p.Mask(3), 5); err != nil {
			return r, err
		}
		if r.cosines, err = teacher.Cosines(drawing(1)); err != nil {
			return r, err
		}
		r.attention, err = p.Encoder().Attention(drawing(1), 1)
		return r, err
	}
	want, err := compute()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got, err := compute(); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("another result, or error %v", err)
			}
		})
	}
	wg.Wait()
}

func TestPredictorErrors(t *testing.T) {
	p := openPredictor(t)
	for name, mask := range map[string][]bool{"no patch is masked": make([]bool, 16), "short": {true}, "nil": nil} {
		if _, err := p.Predict(drawing(1), mask, 5); err == nil || !strings.Contains(err.Error(), "must be of 16 patches") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := p.Predict(nil, p.Mask(1), 5); err == nil {
		t.Error("no image gave a prediction")
	}
	for _, c := range []struct{ name, path, tokenizer, want string }{
		{"a tokenizer", runs.tokenizer, "", "holds a tokenizer, wanted is a backbone with its MIM head"},
		{"a classifier", runs.classifier, "", "wanted is a backbone with its MIM head"},
		{"no tokenizer there", runs.backbone, "gone", "the tokenizer of"},
		{"another kind as tokenizer", runs.backbone, runs.backbone, "wanted is a tokenizer"},
	} {
		if _, err := infer.OpenPredictor(c.path, c.tokenizer, infer.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	p.Close()
	if _, err := p.Predict(drawing(1), p.Mask(1), 5); !errors.Is(err, infer.ErrClosed) {
		t.Errorf("closed: error %v", err)
	}
	for _, none := range []*infer.Predictor{nil, {}} {
		if _, err := none.Predict(drawing(1), []bool{true}, 1); err == nil || !strings.Contains(err.Error(), "no model was opened") {
			t.Errorf("not opened: error %v", err)
		}
	}
}

// A backbone that learned no codes, or codes of other patches, predicts none of an image.
func TestPredictsNoCodes(t *testing.T) {
	m, err := model.Open(runs.backbone)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s := pretrain.SectionOf(m.Config)
	if mask, tokenizer, err := model.Predicts(m); err != nil || mask != s.Mask || tokenizer != s.Tokenizer {
		t.Errorf("mask %+v, tokenizer %q, error %v", mask, tokenizer, err)
	}
	s.ShuffleCodes = true
	if _, _, err := model.Predicts(m); err == nil || !strings.Contains(err.Error(), "pretrain.shuffle_codes") {
		t.Errorf("shuffled codes: error %v", err)
	}
	s.ShuffleCodes, s.Target = false, "features"
	if _, _, err := model.Predicts(m); err == nil || !strings.Contains(err.Error(), "and no codes") {
		t.Errorf("features: error %v", err)
	}
}
