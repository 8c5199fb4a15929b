package infer_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// The cosines are those that the reconstruction loss of training is the mean of.
func TestTeacherCosines(t *testing.T) {
	tok := openTokenizer(t)
	teacher, err := tok.OpenTeacher(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer teacher.Close()
	got, err := teacher.Cosines(drawing(4))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 16 || teacher.Name() != "hog" {
		t.Fatalf("%d cosines of teacher %q", len(got), teacher.Name())
	}
	sum := 0.0
	for _, v := range got {
		sum += float64(v)
	}
	if want := lossOfTraining(t, tok); math.Abs(1-sum/16-want) > 1e-5 {
		t.Errorf("1 - mean cosine is %g, the reconstruction loss %g", 1-sum/16, want)
	}
	if cmp.Equal(got[:15], got[1:]) {
		t.Error("all patches have the same cosine")
	}
	for range 2 {
		if err := teacher.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := teacher.Cosines(drawing(4)); !errors.Is(err, infer.ErrClosed) {
		t.Errorf("closed: error %v", err)
	}
}

// lossOfTraining is the reconstruction loss of drawing(4), computed without this package.
func lossOfTraining(t *testing.T, tok *infer.Tokenizer) float64 {
	t.Helper()
	m, err := model.Open(runs.tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	raw, err := tokenizer.Build(tensor.CPU(), m)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Set.Release()
	teacher, err := raw.OpenTeacher(model.Opener())
	if err != nil {
		t.Fatal(err)
	}
	defer teacher.Release()
	seen, err := tok.Seen(drawing(4))
	if err != nil {
		t.Fatal(err)
	}
	pixels := make([]float32, len(seen.Pix))
	data.ToFloat(pixels, seen, data.Unit, false)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	c := nn.Context{Tape: tape}
	images := tape.Own(tensor.FromSlice(tensor.CPU(), pixels, 1, 3, 16, 16))
	target := tape.Own(teacher.Features(c, images.Value()))
	return float64(raw.Forward(c, images, target.Value()).Rec.Value().Item())
}

// Where the model that teaches cannot be opened, the error says which it is.
func TestTeacherThatIsGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pupil")
	_, err := trainRun(dir, tokenizer.Method, []string{
		"data.path=procedural:8", "train.batch=8", "train.epochs=1", "tokenizer.teacher=run", "tokenizer.teacher_run=" + runs.backbone,
		"tokenizer.model.encoder.image_size=16", "tokenizer.model.encoder.width=16", "tokenizer.model.encoder.depth=1", "tokenizer.model.encoder.heads=1",
		"tokenizer.model.decoder.width=16", "tokenizer.model.decoder.heads=1", "tokenizer.model.codes=8", "tokenizer.kmeans_tokens=64",
	})
	if err != nil {
		t.Fatal(err)
	}
	tok, err := infer.OpenTokenizer(dir, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer tok.Close()
	gone := func(path, _ string) (*model.Model, error) { return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist) }
	if _, err := tok.OpenTeacher(gone); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "tokenizer.teacher_run: "+runs.backbone) {
		t.Errorf("error %v", err)
	}
	teacher, err := tok.OpenTeacher(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer teacher.Close()
	if v, err := teacher.Cosines(drawing(1)); err != nil || len(v) != 16 || teacher.Name() != "run" {
		t.Errorf("%d cosines of teacher %q, error %v", len(v), teacher.Name(), err)
	}
	for _, none := range []*infer.Tokenizer{nil, {}} {
		if _, err := none.OpenTeacher(nil); err == nil {
			t.Error("a tokenizer that was not opened has a teacher")
		}
	}
}

// The exemplar of a code is the patch with the largest cosine of all that have it.
func TestExemplars(t *testing.T) {
	tok, ds := openTokenizer(t), files(t, 12, 5)
	var skipped []data.Skipped
	found, err := tok.Exemplars(t.Context(), ds, nil, func(s data.Skipped) { skipped = append(skipped, s) })
	if err != nil {
		t.Fatal(err)
	}
	if len(skipped) != 1 {
		t.Errorf("skipped %v", skipped)
	}
	best := map[int32]infer.Exemplar{}
	for item, err := range tok.EncodeDataset(t.Context(), ds, nil) {
		if err != nil {
			t.Fatal(err)
		}
		seen, err := tok.Seen(decoded(t, item.Index))
		if err != nil {
			t.Fatal(err)
		}
		for row := range 4 {
			for col := range 4 {
				code, c := item.Value.At(row, col), item.Value.Cosine[4*row+col]
				if old, ok := best[code]; !ok || c > old.Cosine {
					patch := data.NewRGB(4, 4)
					for y := range 4 {
						copy(patch.Pix[12*y:12*y+12], seen.Pix[3*((4*row+y)*16+4*col):])
					}
					best[code] = infer.Exemplar{Index: item.Index, Name: item.Name, Row: row, Col: col, Cosine: c, Patch: patch}
				}
			}
		}
	}
	if d := cmp.Diff(best, found); d != "" || len(found) < 2 {
		t.Errorf("%d exemplars: %s", len(found), d)
	}
	for code := range best {
		one, err := tok.Exemplars(t.Context(), ds, map[int32]bool{code: true}, nil)
		if err != nil || len(one) != 1 || !cmp.Equal(one[code], found[code]) {
			t.Errorf("code %d alone: %v, %v", code, one, err)
		}
		break
	}
}
