package infer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

func openTokenizer(t *testing.T) *infer.Tokenizer {
	t.Helper()
	m, err := infer.OpenTokenizer(runs.tokenizer, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func openEncoder(t *testing.T, opt infer.Options) *infer.Encoder {
	t.Helper()
	m, err := infer.OpenEncoder(runs.backbone, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// drawing is an image that is not square and differs from that of every other i.
func drawing(i int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(3, 5, 3+23+i%7, 5+31))
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			m.SetNRGBA(x, y, color.NRGBA{uint8(x * (i + 3)), uint8(y * (7*i + 1)), uint8(x ^ y*i), 255})
		}
	}
	return m
}

func drawings(n int) (list []image.Image) {
	for i := range n {
		list = append(list, drawing(i))
	}
	return list
}

// files is a dataset of the same drawings, and at index broken of a file that is none.
func files(t *testing.T, n, broken int) data.Dataset {
	t.Helper()
	fsys := fstest.MapFS{}
	for i := range n {
		var b bytes.Buffer
		switch {
		case i == broken:
			b.WriteString("not an image")
		case i%2 == 1:
			if err := jpeg.Encode(&b, drawing(i), nil); err != nil {
				t.Fatal(err)
			}
		default:
			if err := png.Encode(&b, drawing(i)); err != nil {
				t.Fatal(err)
			}
		}
		fsys[fmt.Sprintf("%03d.%s", i, [2]string{"png", "jpg"}[i%2])] = &fstest.MapFile{Data: b.Bytes()}
	}
	src, err := data.OpenFS(fsys, "images", data.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return src.Train
}

// decoded opens the file as a Go program would.
func decoded(t *testing.T, i int) image.Image {
	t.Helper()
	if i%2 == 0 {
		return drawing(i)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, drawing(i), nil); err != nil {
		t.Fatal(err)
	}
	m, err := data.Decode(b.Bytes(), data.DefaultLimits) // image/jpeg rounds otherwise
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Features of images in memory are those that the probes judge, bit for bit; codes are those that training sees.
func TestAsInEvaluation(t *testing.T) {
	const n = 40 // more than a batch
	ds, enc, tok := labelled{files(t, n, -1)}, openEncoder(t, infer.Options{}), openTokenizer(t)
	var images []image.Image
	for i := range n {
		images = append(images, decoded(t, i))
	}
	want, err := probe.Extract(t.Context(), tensor.CPU(), ds, probe.Pipeline(16), nil, probe.Backbone(rawEncoder(t, runs.backbone)))
	if err != nil {
		t.Fatal(err)
	}
	features, err := enc.EncodeBatch(images)
	if err != nil {
		t.Fatal(err)
	}
	var cls, mean []float32
	for _, f := range features {
		cls, mean = append(cls, f.CLS...), append(mean, f.Mean...)
		if f.Patches != nil {
			t.Fatal("patches that nobody asked for")
		}
	}
	if !cmp.Equal(cls, want[0].X) || !cmp.Equal(mean, want[1].X) || len(cls) != n*32 {
		t.Error("features differ from those that are probed")
	}
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
	wantCodes, err := raw.Encode(t.Context(), ds, m.Config.Data.Eval, nil, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	codes, err := tok.EncodeBatch(images)
	if err != nil {
		t.Fatal(err)
	}
	var got []int32
	for _, c := range codes {
		got = append(got, c.Index...)
	}
	if diff := cmp.Diff(wantCodes, got); diff != "" {
		t.Errorf("codes of training (-) and of infer (+):\n%s", diff)
	}
}

// rawEncoder builds the network for features in a model, without this package.
func rawEncoder(t *testing.T, path string) beit.Encoder {
	t.Helper()
	m, err := model.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	e, err := model.OpenEncoder(tensor.CPU(), m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Set.Release)
	return e
}

// labelled gives every image the class 0, as the probes want one.
type labelled struct{ data.Dataset }

func (labelled) Classes() []string { return []string{"one"} }
func (labelled) Label(int) int     { return 0 }

func (l labelled) Sample(i int) (data.Sample, error) {
	s, err := l.Dataset.Sample(i)
	s.Label = 0
	return s, err
}

func TestPatches(t *testing.T) {
	enc := openEncoder(t, infer.Options{Patches: true})
	f, err := enc.Encode(drawing(1))
	if err != nil {
		t.Fatal(err)
	}
	d, n := enc.Dim(), enc.Grid()*enc.Grid()
	if len(f.Patches) != n*d {
		t.Fatalf("%d numbers for %d patches of %d", len(f.Patches), n, d)
	}
	for j := range d {
		sum := 0.0
		for p := range n {
			sum += float64(f.Patches[p*d+j])
		}
		if math.Abs(sum/float64(n)-float64(f.Mean[j])) > 1e-5 {
			t.Errorf("dimension %d: the mean of the patches is %g, Mean says %g", j, sum/float64(n), f.Mean[j])
		}
	}
	if cmp.Equal(f.Patches[:d], f.CLS) {
		t.Error("the first patch is the class token")
	}
}

// Many goroutines get what one gets, to the last bit; half of them ask for one image, half for a batch. Run with -race.
func TestConcurrent(t *testing.T) {
	enc, tok := openEncoder(t, infer.Options{Patches: true}), openTokenizer(t)
	images := drawings(9)
	wantFeatures, err := enc.EncodeBatch(images)
	if err != nil {
		t.Fatal(err)
	}
	wantCodes, err := tok.EncodeBatch(images)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range images {
				at := (i + g) % len(images)
				if g%2 == 0 {
					f, err := enc.Encode(images[at])
					c, err2 := tok.Encode(images[at])
					if err != nil || err2 != nil || !cmp.Equal(f, wantFeatures[at]) || !cmp.Equal(c, wantCodes[at]) {
						t.Errorf("goroutine %d, image %d alone: other results, or errors %v, %v", g, at, err, err2)
					}
					continue
				}
				f, err := enc.EncodeBatch(images[at:])
				c, err2 := tok.EncodeBatch(images[at:])
				if err != nil || err2 != nil || !cmp.Equal(f, wantFeatures[at:]) || !cmp.Equal(c, wantCodes[at:]) {
					t.Errorf("goroutine %d, images from %d: other results, or errors %v, %v", g, at, err, err2)
				}
			}
		})
	}
	wg.Wait()
}

// Threads and the place in a dataset do not show; images that cannot be read are left out, named, and shift nothing.
func TestDataset(t *testing.T) {
	enc, tok := openEncoder(t, infer.Options{}), openTokenizer(t)
	const n, broken = 70, 33
	ds := files(t, n, broken)
	old := tensor.Threads()
	defer tensor.SetThreads(old)
	for _, threads := range []int{1, 3} {
		tensor.SetThreads(threads)
		var skipped []data.Skipped
		next := 0
		for item, err := range enc.EncodeDataset(t.Context(), ds, func(s data.Skipped) { skipped = append(skipped, s) }) {
			if err != nil {
				t.Fatal(err)
			}
			if next == broken {
				next++
			}
			if item.Index != next || item.Name != ds.Name(next) {
				t.Fatalf("item %d is called %s, want %d and %s", item.Index, item.Name, next, ds.Name(next))
			}
			if next%9 == 0 {
				want, err := enc.Encode(decoded(t, next))
				if err != nil || !cmp.Equal(want, item.Value) {
					t.Errorf("image %d has other features in a dataset (%v)", next, err)
				}
			}
			next++
		}
		if next != n || len(skipped) != 1 || skipped[0].Index != broken || !strings.Contains(skipped[0].Err.Error(), "033.jpg") {
			t.Errorf("%d threads: ended after %d images, skipped %+v", threads, next, skipped)
		}
	}
	count := 0
	for item, err := range tok.EncodeDataset(t.Context(), ds, nil) {
		if err != nil || len(item.Value.Index) != 16 {
			t.Fatal(item, err)
		}
		if count++; count == 3 {
			break // leaving early is allowed
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range tok.EncodeDataset(ctx, ds, nil) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: error %v", err)
		}
	}
	for _, err := range tok.EncodeDataset(t.Context(), files(t, 1, 0), nil) {
		if err == nil || !strings.Contains(err.Error(), "000.png") {
			t.Errorf("nothing can be read: error %v", err)
		}
	}
}

// The checksum is that of the weights: the same for a second copy of the model, another one for each other weight.
func TestChecksum(t *testing.T) {
	first, again := openEncoder(t, infer.Options{}).Checksum(), openEncoder(t, infer.Options{Patches: true}).Checksum()
	if len(first) != 64 || first != again {
		t.Errorf("%q and %q", first, again)
	}
	other, err := infer.OpenEncoder(runs.classifier, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if other.Checksum() == first {
		t.Error("two models have one checksum")
	}
	other.Close()
	if other.Checksum() != "" {
		t.Error("a closed model has a checksum")
	}
}

// Close waits, twice does no harm, and what comes after it is told so. Memory goes back.
func TestClose(t *testing.T) {
	before := tensor.CPU().MemStats().InUse
	enc := openEncoder(t, infer.Options{})
	var wg sync.WaitGroup
	started := make(chan struct{}, 4)
	for range 4 {
		wg.Go(func() {
			for first := true; ; first = false {
				if _, err := enc.Encode(drawing(2)); errors.Is(err, infer.ErrClosed) {
					return
				} else if err != nil {
					t.Error(err)
					return
				}
				if first {
					started <- struct{}{}
				}
			}
		})
	}
	for range 4 {
		<-started
	}
	for range 2 {
		if err := enc.Close(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if now := tensor.CPU().MemStats().InUse; now > before {
		t.Errorf("%d bytes of the device are in use, %d before the model was opened", now, before)
	}
	for _, err := range enc.EncodeDataset(t.Context(), files(t, 3, -1), nil) {
		if !errors.Is(err, infer.ErrClosed) || !strings.Contains(err.Error(), "backbone.safetensors") {
			t.Errorf("dataset after Close: error %v", err)
		}
	}
}

// A steady stream of images takes no more of the device's memory.
func TestMemoryIsPooled(t *testing.T) {
	enc := openEncoder(t, infer.Options{Patches: true})
	images := drawings(5)
	encode := func() {
		if _, err := enc.EncodeBatch(images); err != nil {
			t.Fatal(err)
		}
	}
	encode()
	encode()
	before := tensor.CPU().MemStats()
	for range 20 {
		encode()
	}
	if after := tensor.CPU().MemStats(); after.Held > before.Held || after.InUse > before.InUse {
		t.Errorf("after 20 more batches: %+v, before %+v", after, before)
	}
}

func TestWrongImages(t *testing.T) {
	enc, tok := openEncoder(t, infer.Options{}), openTokenizer(t)
	for _, c := range []struct {
		name string
		img  image.Image
		want string
	}{
		{"nil", nil, "image 1: the image is nil"},
		{"nil under its type", (*image.RGBA)(nil), "image 1: the image is nil"},
		{"without pixels", &image.RGBA{Rect: image.Rect(0, 0, 4, 4), Stride: 16}, "image 1: the image has fewer pixels"},
		{"empty", image.NewGray(image.Rect(4, 4, 4, 9)), "image 1: the image has no pixels"},
		{"huge", image.NewUniform(color.White), "pixels: the limit is"},
	} {
		list := []image.Image{drawing(0), c.img}
		for kind, err := range map[string]error{"encoder": second(enc.EncodeBatch(list)), "tokenizer": second(tok.EncodeBatch(list))} {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: error %v, want one with %q", c.name, kind, err, c.want)
			}
		}
	}
	if list, err := enc.EncodeBatch(nil); len(list) != 0 || err != nil {
		t.Errorf("no images: %v, %v", list, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestWrongFiles(t *testing.T) {
	dir := t.TempDir()
	notes, foreign := filepath.Join(dir, "notes.txt"), filepath.Join(dir, "foreign.safetensors")
	if err := os.WriteFile(notes, []byte("not a model"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := state.WriteFileAtomic(foreign, func(w io.Writer) error { return state.WriteSafetensors(w, nil, nil) }); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(dir, "short.safetensors")
	whole, err := os.ReadFile(filepath.Join(runs.backbone, "backbone.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(short, whole[:len(whole)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	open := func(path string) error { return second(infer.Open(path)) }
	tokenizer := func(path string) error { return second(infer.OpenTokenizer(path, infer.Options{})) }
	encoder := func(path string) error { return second(infer.OpenEncoder(path, infer.Options{})) }
	for _, c := range []struct {
		name, path string
		open       func(string) error
		want       string
	}{
		{"missing", filepath.Join(dir, "gone"), open, "gone"},
		{"text", notes, open, "notes.txt"},
		{"text as encoder", notes, encoder, "wanted is a run folder"},
		{"empty folder", t.TempDir(), open, "not a run folder"},
		{"no configuration", foreign, open, "foreign.safetensors: holds no model"},
		{"cut short", short, encoder, "short.safetensors"},
		{"tokenizer as encoder", runs.tokenizer, encoder, "holds a tokenizer"},
		{"encoder as tokenizer", filepath.Join(runs.backbone, "backbone.safetensors"), tokenizer, "wanted is a tokenizer (tokenizer.safetensors"},
	} {
		err := c.open(c.path)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), filepath.Base(c.path)) {
			t.Errorf("%s: error %v, want one line with %q and the file's name", c.name, err, c.want)
		}
	}
	if err := open(filepath.Join(dir, "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v does not wrap its cause", err)
	}
}

// Weights that are not finite are found out, not handed on.
func TestDamagedWeights(t *testing.T) {
	from, err := state.OpenSafetensors(filepath.Join(runs.backbone, "backbone.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	var list []state.Named
	for _, name := range from.Names() {
		e, _ := from.Entry(name)
		v, err := from.Float32s(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "norm.weight" {
			v[3] = float32(math.NaN())
		}
		list = append(list, state.Named{Name: name, DType: state.F32, Shape: e.Shape, Float32s: v})
	}
	path := filepath.Join(t.TempDir(), "damaged.safetensors")
	err = state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteSafetensors(w, from.Metadata(), list) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := infer.OpenEncoder(path, infer.Options{}); err == nil || !strings.Contains(err.Error(), `damaged.safetensors: tensor "norm.weight": element 3 is NaN`) {
		t.Errorf("error %v", err)
	}
}

func TestCodesAt(t *testing.T) {
	c := infer.Codes{Rows: 2, Cols: 3, Index: []int32{0, 1, 2, 3, 4, 5}}
	if c.At(1, 0) != 3 || c.At(0, 2) != 2 {
		t.Error("wrong code")
	}
	defer func() {
		if recover() == nil {
			t.Error("a column outside the grid gave a code")
		}
	}()
	c.At(0, 3)
}
