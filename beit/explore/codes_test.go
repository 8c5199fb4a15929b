package explore_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// tinyTokenizer is a tokenizer that was trained for a moment.
func tinyTokenizer(t *testing.T) *infer.Tokenizer {
	t.Helper()
	tok, err := infer.OpenTokenizer(runtest.Folder(t, tokenizer.Method), infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tok.Close() })
	return tok
}

// patchOf is a patch with its code.
type patchOf struct {
	code int32
	explore.Patch
}

// allPatches are the patches of a dataset, one by one.
func allPatches(t *testing.T, tok *infer.Tokenizer, ds data.Dataset) (list []patchOf) {
	t.Helper()
	for item, err := range tok.EncodeDataset(t.Context(), ds, nil) {
		if err != nil {
			t.Fatal(err)
		}
		for p, code := range item.Value.Index {
			at := explore.Patch{Image: item.Index, Row: p / tok.Grid(), Col: p % tok.Grid(), Cosine: item.Value.Cosine[p]}
			list = append(list, patchOf{code, at})
		}
	}
	return list
}

func TestCodebook(t *testing.T) {
	tok := tinyTokenizer(t)
	t.Run("all", func(t *testing.T) { checkCodebook(t, tok) })
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := explore.Codebook(ctx, tok, data.Shapes(300, 16, 1), explore.CodebookOptions{Nearest: 1, Progress: func(int, int) { cancel() }})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("without labels and masks", func(t *testing.T) {
		codes, err := explore.Codebook(t.Context(), tok, bare{data.Shapes(3, 16, 1)}, explore.CodebookOptions{Nearest: 1})
		if err != nil {
			t.Fatal(err)
		}
		if codes.ByClass != nil || codes.ByPart != nil || codes.Codes[0].Classes != nil {
			t.Errorf("%+v", codes)
		}
	})
}

// checkCodebook compares what is found in one pass with what a search through all patches finds.
func checkCodebook(t *testing.T, tok *infer.Tokenizer) {
	const nearest, random = 3, 5
	ds := data.Shapes(40, 16, 1)
	got, err := explore.Codebook(t.Context(), tok, ds, explore.CodebookOptions{Nearest: nearest, Random: random})
	if err != nil {
		t.Fatal(err)
	}
	all := allPatches(t, tok, ds)
	if got.Images != 40 || got.Patches != len(all) || len(got.Codes) != tok.Vocabulary() || got.Usage.Codes != tok.Vocabulary() {
		t.Fatalf("%d images, %d patches, %d codes", got.Images, got.Patches, len(got.Codes))
	}
	sum, used, pure := 0, 0, 0
	for k, c := range got.Codes {
		var own []patchOf
		for _, p := range all {
			if p.code == int32(k) {
				own = append(own, p)
			}
		}
		sum += c.Patches
		if images := len(nearestOf(own, len(own))); c.Patches != len(own) || c.Images != images {
			t.Errorf("code %d has %d patches of %d images, want %d of %d", k, c.Patches, c.Images, len(own), images)
		}
		if len(own) == 0 {
			if c.Nearest != nil || c.Random != nil || c.Classes != nil || c.Spread() != 0 {
				t.Errorf("code %d has no patches: %+v", k, c)
			}
			continue
		}
		used++
		if diff := gocmp.Diff(nearestOf(own, nearest), c.Nearest); diff != "" {
			t.Errorf("code %d: nearest patches (-want +got):\n%s", k, diff)
		}
		if len(c.Random) != min(random, len(own)) {
			t.Errorf("code %d: %d random patches of %d", k, len(c.Random), len(own))
		}
		for i, p := range c.Random {
			if !slices.Contains(own, patchOf{int32(k), p}) || slices.Contains(c.Random[:i], p) {
				t.Errorf("code %d: random patch %+v is none of its own, or comes twice", k, p)
			}
		}
		pure += checkClasses(t, ds, k, c, own)
	}
	if sum != len(all) || used != got.Usage.Used || used < 2 {
		t.Errorf("codes have %d patches of %d; %d are used, Usage says %d", sum, len(all), used, got.Usage.Used)
	}
	p := got.ByClass
	if want := float64(pure) / float64(len(all)); p == nil || math.Abs(p.Codes.Purity-want) > 1e-12 || p.Largest != 0.1 ||
		p.Permuted.Purity < 0.1 || p.LabelsPermuted.Purity < 0.1 || p.Codes.Information <= p.Permuted.Information {
		t.Errorf("purity %+v, want %g", p, want)
	}
	checkParts(t, tok, ds, all, got.ByPart)
}

// nearestOf are the n patches with the largest cosine, each of another image.
func nearestOf(own []patchOf, n int) (list []explore.Patch) {
	own = slices.Clone(own)
	slices.SortStableFunc(own, func(a, b patchOf) int { return cmp.Compare(b.Cosine, a.Cosine) })
	for _, p := range own {
		if len(list) < n && !slices.ContainsFunc(list, func(q explore.Patch) bool { return q.Image == p.Image }) {
			list = append(list, p.Patch)
		}
	}
	return list
}

// checkClasses compares what is said of the classes of a code's patches with them, and returns how many have the most frequent one.
func checkClasses(t *testing.T, ds data.Dataset, k int, c explore.Code, own []patchOf) (most int) {
	t.Helper()
	counts, mean := make([]int32, len(ds.Classes())), 0.0
	for _, p := range own {
		counts[ds.Label(p.Image)]++
		mean += float64(p.Cosine) / float64(len(own))
	}
	entropy := 0.0
	for _, n := range counts {
		most = max(most, int(n))
		if n > 0 {
			share := float64(n) / float64(len(own))
			entropy -= share * math.Log(share)
		}
	}
	class, share := c.TopClass()
	if !slices.Equal(c.Classes, counts) || math.Abs(c.Cosine-mean) > 1e-6 || math.Abs(c.Spread()-math.Exp(entropy)) > 1e-9 ||
		int(counts[class]) != most || share != float64(most)/float64(len(own)) {
		t.Errorf("code %d: %+v, spread %g, top class %d of share %g", k, c, c.Spread(), class, share)
	}
	return most
}

// checkParts compares the purity over the parts that masks tell with a count of pixels.
func checkParts(t *testing.T, tok *infer.Tokenizer, ds data.Dataset, all []patchOf, got *explore.Agreement) {
	t.Helper()
	if got == nil {
		t.Fatal("no purity over parts")
	}
	counts, totals := map[[2]int]int{}, map[int]int{}
	for _, p := range all {
		s, err := ds.Sample(p.Image)
		if err != nil {
			t.Fatal(err)
		}
		inside, box := 0, tok.PatchBox(16, 16, p.Row, p.Col)
		for y := box.Min.Y; y < box.Max.Y; y++ {
			for x := box.Min.X; x < box.Max.X; x++ {
				if s.Mask.Class[16*y+x] > 0 {
					inside++
				}
			}
		}
		part := 0
		if 2*inside > box.Dx()*box.Dy() {
			part = 1 + s.Label
		}
		counts[[2]int{int(p.code), part}]++
		totals[part]++
	}
	pure := 0
	for k := range tok.Vocabulary() {
		most := 0
		for part := range totals {
			most = max(most, counts[[2]int{k, part}])
		}
		pure += most
	}
	n := float64(len(all))
	if want := float64(pure) / n; math.Abs(got.Codes.Purity-want) > 1e-12 || got.Largest != float64(totals[0])/n ||
		got.Permuted.Purity < got.Largest-1e-12 || got.LabelsPermuted != (explore.Score{}) {
		t.Errorf("purity over parts %+v, want %g, and %d of %g patches show the ground", got, want, totals[0], n)
	}
}

// bare is a dataset without labels and masks.
type bare struct{ data.Dataset }

func (bare) Classes() []string { return nil }
func (bare) Label(int) int     { return -1 }

func (b bare) Sample(i int) (data.Sample, error) {
	s, err := b.Dataset.Sample(i)
	return data.Sample{Image: s.Image, Label: -1}, err
}

// The map has the codes that are used, and for each the one whose vector has the largest cosine with its own.
func TestMapCodes(t *testing.T) {
	vectors := [][]float32{{1, 0}, {0, 1}, {0.8, 0.6}, {-1, 0}, {0.6, 0.8}}
	codes := make([]explore.Code, len(vectors))
	for _, k := range []int{0, 2, 3, 4} { // 1 is dead
		codes[k].Patches = 1 + k
	}
	m, err := explore.MapCodes(t.Context(), vectors, codes, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Used, []int{0, 2, 3, 4}) || !slices.Equal(m.Index, []int32{1, 3, 3, 1}) || math.Abs(float64(m.Cosine[1])-0.96) > 1e-6 {
		t.Errorf("codes %v, neighbours %v, cosines %v", m.Used, m.Index, m.Cosine)
	}
	if math.Abs(m.Explained-1) > 1e-6 || len(m.Places) != 4 {
		t.Errorf("two axes explain %g of vectors of two numbers; places %v", m.Explained, m.Places)
	}
	for i, a := range m.Places { // two axes keep all distances
		for j, b := range m.Places {
			va, vb := vectors[m.Used[i]], vectors[m.Used[j]]
			if got, want := math.Hypot(float64(a[0]-b[0]), float64(a[1]-b[1])), math.Hypot(float64(va[0]-vb[0]), float64(va[1]-vb[1])); math.Abs(got-want) > 1e-5 {
				t.Errorf("codes %d and %d are %g apart, want %g", m.Used[i], m.Used[j], got, want)
			}
		}
	}
	if m, err := explore.MapCodes(t.Context(), vectors, make([]explore.Code, 5), 1); err != nil || len(m.Used) != 0 {
		t.Errorf("without a used code: %+v, %v", m, err)
	}
}
