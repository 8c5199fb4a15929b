package method_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Images that are no files have a size too.
func TestShortSideOfSyntheticImages(t *testing.T) {
	c := tokenizer.Method.Preset("small32")
	c.Data.Path = "procedural:5"
	images, err := method.OpenImages(c, 24, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer images.Close()
	if side, err := images.ShortSide(); side != 24 || err != nil {
		t.Errorf("the shorter side has %d pixels, error %v", side, err)
	}
}

// data.exif_transpose decides whether EXIF orientation counts, for training and validation images.
func TestExifTranspose(t *testing.T) {
	content, err := os.ReadFile("../data/testdata/pillow/turn5.png")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.png"), content, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		set  string
		w, h int
	}{{"data.exif_transpose=false", 37, 29}, {"data.exif_transpose=true", 29, 37}} {
		images, err := method.OpenImages(traintest.Tiny(t, tokenizer.Method, "data.path="+dir, "data.eval_path="+dir, c.set), 16, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, ds := range []data.Dataset{images.Train, images.Val} {
			if m, err := data.Decoded(ds, 0); err != nil || m.W != c.w || m.H != c.h {
				t.Errorf("%s: %v, want %dx%d: %v", c.set, m.Bounds(), c.w, c.h, err)
			}
		}
		if err := images.Close(); err != nil {
			t.Error(err)
		}
	}
}

// data.reduce decodes large images smaller in training, as far as the smallest crop allows: for 16 pixels and crops of a fifth of the area at least
// 42, and where there are no crops at least 19. DALL-E's encoder sees 32 of such an image, which takes 37. Whoever does not train sees them whole.
func TestReduce(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 200, 170))); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	codes, dalle := []string{"pretrain.target=codes"}, []string{"pretrain.target=dalle", "pretrain.visible=0", "pretrain.model.aggregation.depth=0"}
	for _, c := range []struct {
		m               *method.Method
		set             []string
		reduce, augment string
		w, h            int
	}{
		{tokenizer.Method, nil, "false", "crop", 200, 170}, {tokenizer.Method, nil, "true", "crop", 50, 43}, {tokenizer.Method, nil, "true", "none", 25, 22},
		{tokenizer.Method, nil, "true", "pad-crop", 25, 22}, {pretrain.Method, codes, "true", "none", 25, 22}, {pretrain.Method, dalle, "true", "none", 50, 43},
	} {
		cfg := traintest.Tiny(t, c.m, append(slices.Clip(c.set), "data.path="+dir, "data.eval_path="+dir, "data.reduce="+c.reduce, "data.augment="+c.augment, "train.min_crop_scale=0.2")...)
		check := func(what string, open func(*config.Config, int, *data.Source) (*method.Images, error), w, h int) {
			images, err := open(cfg, 16, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, ds := range []data.Dataset{images.Train, images.Val} {
				if m, err := data.Decoded(ds, 0); err != nil || m.W != w || m.H != h {
					t.Errorf("%s %v: data.reduce=%s with %s, %s: %v, want %dx%d: %v", c.m.Name, c.set, c.reduce, c.augment, what, m.Bounds(), w, h, err)
				}
			}
			if err := images.Close(); err != nil {
				t.Error(err)
			}
		}
		check("to train", method.OpenImagesToTrain, c.w, c.h)
		check("to look", method.OpenImages, 200, 170)
	}
}

// Limits choose among the images at random, the same each time, and keep their order.
func TestLimitedImages(t *testing.T) {
	c := traintest.Tiny(t, tokenizer.Method, "data.path=procedural:40", "data.limit=7", "data.eval.limit=3")
	var all [2][]string
	for i := range all {
		images, err := method.OpenImages(c, 16, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer images.Close()
		if images.Train.Len() != 7 || images.Val.Len() != 3 {
			t.Fatalf("%d and %d images", images.Train.Len(), images.Val.Len())
		}
		for k := range images.Train.Len() {
			all[i] = append(all[i], images.Train.Name(k))
		}
	}
	if !slices.Equal(all[0], all[1]) {
		t.Errorf("chosen are %v and %v", all[0], all[1])
	}
	ds := data.Procedural(40, 16, 1)
	if method.AtMost(ds, 0, 1) != ds || method.AtMost(ds, 40, 1) != ds {
		t.Error("no limit is one")
	}
	index := tensor.NewRand(9, 0x747261696e00).Perm(40)[:5] // the stream may never change
	slices.Sort(index)
	some := method.AtMost(ds, 5, 9)
	for i, at := range index {
		if some.Name(i) != ds.Name(at) {
			t.Errorf("image %d is %q, want %q", i, some.Name(i), ds.Name(at))
		}
	}
}

func TestOpenImagesErrors(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{"data.path=", "data.path"}, {"data.path=procedural:x", "procedural:N"}, {"data.path=procedural:0", "procedural:N"},
		{"data.path=shapes:-1", "shapes:N"}, {"data.path=shape:80", "shape:80"},
		{"data.eval_path=x", "synthetic images bring their own"}, {"data.path=" + filepath.Join(t.TempDir(), "gone"), "gone"},
	} {
		if _, err := method.OpenImages(traintest.Tiny(t, tokenizer.Method, c.set), 16, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.set, err, c.want)
		}
	}
	if _, err := method.OpenImages(traintest.Tiny(t, tokenizer.Method), 7, nil); err == nil || !strings.Contains(err.Error(), "image_size of at least 8") {
		t.Errorf("small images: error %v", err)
	}
	none := &data.Source{Train: data.Subset(data.Procedural(4, 16, 1), nil)}
	if _, err := method.OpenImages(traintest.Tiny(t, tokenizer.Method), 16, none); !errors.Is(err, data.ErrNoImages) {
		t.Errorf("no images: error %v", err)
	}
}

// Means of what is not finite survive a checkpoint too.
func TestMeansThatAreNotFinite(t *testing.T) {
	m := method.Means{}
	m.Add("nan", math.NaN(), 2)
	m.Add("inf", math.Inf(-1), 1)
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var again method.Means
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if n := again["nan"]; !math.IsNaN(n.Sum) || n.Weight != 2 || !math.IsInf(again["inf"].Sum, -1) {
		t.Errorf("%s", text)
	}
	for _, wrong := range []string{`{"x":{"sum":"much","weight":1}}`, `{"x":{"sum":1}}`, `{"x":{"sum":1,"weight":[]}}`} {
		if err := json.Unmarshal([]byte(wrong), &again); err == nil {
			t.Errorf("%s is accepted", wrong)
		}
	}
}

// Means are weighted, and keep every bit through JSON.
func TestMeans(t *testing.T) {
	m := method.Means{}
	m.Add("loss", 0.1, 1)
	m.Add("loss", 0.7, 3)
	m.Add("share", 2, 8)
	other := method.Means{}
	other.Add("loss", 1, 1)
	other.Merge(m)
	sum := 0.1 // in float64, and not exactly as constants are added
	sum += 0.7
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var again method.Means
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m, again); d != "" {
		t.Errorf("through JSON:\n%s", d)
	}
	if d := cmp.Diff(map[string]float64{"loss": sum / 4, "share": 0.25}, m.Values()); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
	if got := other.Values()["loss"]; got != (1+sum)/5 {
		t.Errorf("merged: %g", got)
	}
}

// Scalars outlive their tape until they are settled, and then are given back.
func TestSettled(t *testing.T) {
	dev := tensor.NewDevice(tensor.CPU().Backend())
	tape := autograd.NewTape(dev)
	own := func(x *tensor.Tensor) *tensor.Tensor { return tape.Own(x).Value() }
	before := dev.MemStats().InUse
	var s method.Settled
	for micro := range 2 {
		s.Keep([]method.Scalar{
			method.Mean("loss", own(tensor.FromSlice(dev, []float32{float32(1 + micro)}, 1))),
			method.Share("accuracy", own(tensor.FromInts(dev, []int32{1, 2, 3}, 3)), own(tensor.FromInts(dev, []int32{1, int32(2 + micro), 4}, 3))),
			method.Ints("codes", own(tensor.FromInts(dev, []int32{int32(micro), 7}, 2))),
		})
		tape.Reset()
	}
	m := method.Means{}
	s.Into(m)
	if d := cmp.Diff(map[string]float64{"loss": 1.5, "accuracy": 0.5}, m.Values()); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
	if d := cmp.Diff([][]int32{{0, 7}, {1, 7}}, s.Ints("codes")); d != "" {
		t.Errorf("codes (-want +got):\n%s", d)
	}
	if s.Ints("loss") != nil {
		t.Error("a mean has whole numbers")
	}
	s.Release()
	if held := dev.MemStats().InUse; held != before {
		t.Errorf("%d bytes were not given back", held-before)
	}
}

// A set's parameters leave it in pieces, and come back strictly.
func TestTensorsAndLoadParams(t *testing.T) {
	declare := func() *nn.Set {
		set := nn.NewSet()
		set.Scope().Param("large", nn.Uniform(1), 3, 1<<17)
		set.Scope().Param("small", nn.Uniform(1), 2)
		set.Build(tensor.CPU(), 5, nn.Inference)
		return set
	}
	want, got := declare(), declare()
	got.Values().Fill(0)
	list := append(nn.Tensors(want.Params()), nn.Named("train.x", want.Lookup("small").Value))
	path := filepath.Join(t.TempDir(), "set.safetensors")
	if err := state.WriteFileAtomic(path, traintest.SafetensorsOf(nil, list)); err != nil {
		t.Fatal(err)
	}
	f, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := method.LoadParams(got.Params(), f, "train."); err != nil || !slices.Equal(want.Values().Float32s(), got.Values().Float32s()) {
		t.Errorf("error %v, or other values", err)
	}
	if err := method.LoadParams(got.Params(), f); err == nil || !strings.Contains(err.Error(), "train.x") {
		t.Errorf("with a tensor too many: error %v", err)
	}
	if err := method.LoadParams(got.Params(), f, "train.", "small"); err == nil || !strings.Contains(err.Error(), "small") {
		t.Errorf("with a tensor too few: error %v", err)
	}
}

// upstreams are opened as far as they are known from those that are open, once each, and closed after an error.
func TestOpenUpstream(t *testing.T) {
	m := &method.Method{Upstream: func(_ *config.Config, have method.Upstreams) []method.Upstream {
		list := []method.Upstream{{Role: "one", Key: "toy.one", Path: "1"}}
		if have["one"] != nil {
			list = append(list, method.Upstream{Role: "two", Key: "toy.two", Path: have["one"].Path + "2", Fixed: true})
		}
		return list
	}}
	var opened []string
	open := func(path, _ string) (*method.Model, error) {
		opened = append(opened, path)
		return &method.Model{Path: path}, nil
	}
	have, err := m.OpenUpstream(nil, open)
	if err != nil || len(have) != 2 || have["two"].Path != "12" || !slices.Equal(opened, []string{"1", "12"}) {
		t.Errorf("%v, opened %v, error %v", have, opened, err)
	}
	if have, err := (&method.Method{}).OpenUpstream(nil, open); len(have) != 0 || err != nil {
		t.Errorf("a method without upstream models: %v, error %v", have, err)
	}
	if role := m.FixedRole(nil, have); role != "two" {
		t.Errorf("fixed is %q", role)
	}
	if role := (&method.Method{}).FixedRole(nil, nil); role != "" {
		t.Errorf("fixed is %q of a method without upstream models", role)
	}
	failing := func(string, string) (*method.Model, error) { return nil, os.ErrPermission }
	if _, err := m.OpenUpstream(nil, failing); !errors.Is(err, os.ErrPermission) || !strings.HasPrefix(err.Error(), "toy.one: ") {
		t.Errorf("error %v", err)
	}
	unnamed := &method.Method{Upstream: func(*config.Config, method.Upstreams) []method.Upstream {
		return []method.Upstream{{Role: "tokenizer", Key: "toy.tokenizer"}}
	}}
	if _, err := unnamed.OpenUpstream(nil, open); err == nil || err.Error() != "toy.tokenizer: name the run or file of a tokenizer" {
		t.Errorf("error %v", err)
	}
}

// The weights of a model tell it apart: not what a checkpoint holds beside them, and not the order in the file.
func TestDigest(t *testing.T) {
	digest := func(list ...state.Named) string {
		t.Helper()
		f, err := state.Open(traintest.WriteTensors(t, nil, list))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w, err := weights.FromFileAs(f, "toy")
		if err != nil {
			t.Fatal(err)
		}
		d, err := (&method.Model{Weights: w}).Digest()
		if err != nil || len(d) != 16 {
			t.Fatalf("digest %q, error %v", d, err)
		}
		return d
	}
	named := func(name string, v float32) state.Named {
		return state.Named{Name: name, DType: state.F32, Shape: []int{1}, Float32s: []float32{v}}
	}
	want := digest(named("a", 1), named("b", 2))
	for what, got := range map[string]string{
		"in another order": digest(named("b", 2), named("a", 1)), "of a checkpoint": digest(named("a", 1), named("b", 2), named("train.m", 3)),
	} {
		if got != want {
			t.Errorf("%s: another digest", what)
		}
	}
	for what, got := range map[string]string{
		"another value": digest(named("a", 1), named("b", 3)), "another name": digest(named("a", 1), named("c", 2)), "a tensor less": digest(named("a", 1)),
	} {
		if got == want {
			t.Errorf("%s: the same digest", what)
		}
	}
}

func TestListErrors(t *testing.T) {
	list := method.List{tokenizer.Method}
	for text, want := range map[string]string{
		"method = \"tokeniser\"": `source: method "tokeniser" does not exist; did you mean "tokenizer"?`,
		"[[":                     "source: ", "": "does not exist", "method = \"tokenizer\"": "preset",
		"method = \"tokenizer\"\npreset = \"small32\"\nseed = \"x\"": "source: seed = x",
	} {
		if _, _, err := list.Read(text, "source"); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v, want one line with %q", text, err, want)
		}
	}
}

// cardNetwork gives the configuration of a kind's network a place, for kinds of package beit.
func cardNetwork(_ string, kind weights.Kind) (any, error) {
	switch kind {
	case weights.Tokenizer:
		return &beit.VQKDConfig{}, nil
	case weights.MIM:
		return &beit.MIMConfig{}, nil
	case weights.Classifier:
		return &beit.ViTConfig{}, nil
	}
	return nil, fmt.Errorf("no network of kind %q", kind)
}

func TestParseCardErrors(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "[]": "", `{"kind":"toy"}`: "no network", `{"kind":"classifier"}`: "network: ", `{"kind":"classifier","network":{"widht":3}}`: "unknown key widht",
		`{"kind":"classifier","network":{"width":"3"}}`: "width", `{"kind":"classifier","network":{},"input":{"size":"x"}}`: "size",
	} {
		if c, err := method.ParseCard(text, cardNetwork); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, error %v, want %q", text, c, err, want)
		}
	}
}

// Whatever a file says of its model, ParseCard does not panic, and what it takes can be written and read again.
func FuzzParseCard(f *testing.F) {
	c, _, err := tokenizer.Method.Configure("", "", nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	whole := tokenizer.Method.Card(c).JSON()
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(strings.ReplaceAll(whole, "tokenizer", "classifier"))
	f.Add(`{"kind":"classifier","network":{"width":1e999}}`)
	f.Add(`{"kind":"classifier","network":null,"beside":["\u0000"]}`)
	f.Add(`{"kind":"masked image model","network":{"vit.rel_pos":3}}`)
	f.Fuzz(func(t *testing.T, text string) {
		card, err := method.ParseCard(text, cardNetwork)
		if err != nil {
			return
		}
		again, err := method.ParseCard(card.JSON(), cardNetwork)
		if d := cmp.Diff(card.JSON(), again.JSON()); d != "" || err != nil {
			t.Errorf("error %v, (-once +again):\n%s", err, d)
		}
	})
}
