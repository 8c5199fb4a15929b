package config

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// section is that of a method of the tests.
type section struct {
	Size  int           `toml:"size" range:"[1,64]" help:"of it"`
	Scale float64       `toml:"scale" range:"(0,1]" help:"of it"`
	Loss  string        `toml:"loss" oneof:"square cosine" help:"of it"`
	Path  string        `toml:"path" resume:"free" help:"to it"`
	Wait  time.Duration `toml:"wait" range:"[0,)" help:"for it"`
	Net   net           `toml:"net"`
	Half  int           `toml:"half" range:"[0,)" help:"half of size"`
}

// net is a table inside it.
type net struct {
	Width int    `toml:"width" help:"of it"`
	Bias  bool   `toml:"bias" help:"of it"`
	Seed  uint64 `toml:"seed" help:"of it"`
	inner        // its fields are net's own
}

type inner struct {
	Rate float64 `toml:"rate" range:"[0,1)" help:"of it"`
}

func (s *section) Derive() { s.Half = s.Size / 2 }

func (s *section) Check(c *Config, k *Checker) {
	k.Must(s.Net.Width%2 == 0, "toy.net.width = %d: must be even", s.Net.Width)
	k.OneOf("data.augment", c.Data.Augment, AugmentCrop, AugmentNone)
}

var toySpec = NewSpec("toy", map[string]func() *Config{
	"large": func() *Config {
		c := toyPreset()
		c.Section.(*section).Size = 64
		return c
	},
	"small32": toyPreset,
})

func toyPreset() *Config {
	c := New("toy", &section{Size: 8, Scale: 0.5, Loss: "square", Net: net{Width: 4, Bias: true, Seed: 1 << 60, inner: inner{0.1}}})
	c.Train = Train{
		Epochs: 2, Batch: 8, LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, MinCropScale: 0.2, AccumulationSteps: 1, LRScaling: "none", LRBatch: 8,
	}
	c.Derive()
	return c
}

// toy is a configuration with assignments.
func toy(t testing.TB, set ...string) *Config {
	t.Helper()
	c, err := Configure(toySpec, "", "", set, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ownFile writes a TOML file.
func ownFile(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "own.toml")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRoundTrip(t *testing.T) {
	want := toy(t, "seed=7", "train.time_budget=4m30s", `data.path=C:\images "of" mine`, "toy.net.rate=0.3", "toy.wait=1ns", "toy.path=ä\n\t\x00\x7f")
	for what, read := range map[string]func() (*Config, error){
		"Read":      func() (*Config, error) { return Read(toySpec, want.TOML(), "source") },
		"Configure": func() (*Config, error) { return Configure(toySpec, "", ownFile(t, want.TOML()), nil, nil) },
	} {
		got, err := read()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want.TOML(), got.TOML()); d != "" || !Equal(want, got) || ChangedKeys(want, got) != nil || len(got.Notes) != 0 {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
		if got.Train.TimeBudget != 270*time.Second || got.Section.(*section).Wait != 1 || got.Section.(*section).Net.Seed != 1<<60 {
			t.Errorf("%s: %s", what, got.TOML())
		}
	}
}

// What comes later counts more: preset, adapt, file, assignments; then what follows from other keys.
func TestOrder(t *testing.T) {
	file := ownFile(t, "preset = \"large\"\n[train]\nepochs = 3\nlr = 0.5\n[toy]\nscale = 1\n")
	adapt := func(base *Config, over Layers) error {
		if base.Section.(*section).Size != 64 || !over.InFile("train.lr") || over.InFile("train.batch") {
			t.Errorf("adapt sees %s", base.TOML())
		}
		asked, err := over.Over(base)
		if err != nil || asked.Train.LR != 0.25 || base.Train.LR != 1e-3 {
			t.Errorf("asked for is %g, error %v", asked.Train.LR, err)
		}
		base.Section.(*section).Size, base.Train.Epochs, base.Train.Batch = 16, 99, 32
		return nil
	}
	c, err := Configure(toySpec, "", file, []string{"train.lr = 0.25"}, adapt)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Section.(*section)
	if c.Preset != "large" || c.Train.Epochs != 3 || c.Train.LR != 0.25 || c.Train.Batch != 32 || s.Size != 16 || s.Half != 8 || s.Scale != 1 {
		t.Errorf("got %s", c.TOML())
	}
	if c, err = Configure(toySpec, "small32", file, nil, nil); err != nil || c.Preset != "small32" || c.Section.(*section).Size != 8 {
		t.Errorf("the caller's preset: %v, error %v", c.Preset, err)
	}
	if _, err := Configure(toySpec, "", "", nil, func(*Config, Layers) error { return os.ErrClosed }); err != os.ErrClosed {
		t.Errorf("adapt failed: error %v", err)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name, preset, file string
		set                []string
		want               string
	}{
		{"preset", "smal32", "", nil, `toy preset "smal32" does not exist; did you mean "small32"?`},
		{"preset in a file", "", "preset = \"smal32\"", nil, `did you mean "small32"`},
		{"key in a file", "", "[train]\nepoch = 3\n", nil, "unknown key train.epoch of method toy; did you mean train.epochs?"},
		{"table in a file", "", "[trian]\n", nil, "unknown key trian"},
		{"key of another method", "", "[pretrain]\ntarget = \"codes\"\n", nil, "unknown key pretrain"},
		{"value for a table", "", "train = 3\n", nil, "unknown key train of method toy"},
		{"table for a value", "", "[seed]\nx = 3\n", nil, "unknown key seed.x"},
		{"empty table for a value", "", "[seed]\n", nil, "seed is a value, not a table"},
		{"another method", "", "method = \"pretrain\"\n", nil, `method = "pretrain": is a configuration of another method than "toy"`},
		{"another method by the old key", "", "stage = \"pretrain\"\n", nil, `stage = "pretrain": is a configuration of another method than "toy"`},
		{"two names of a key", "", "[train]\naccum = 2\naccumulation_steps = 4\n", nil, "train.accum and train.accumulation_steps are one key"},
		{"no name of a method", "", "method = 3\n", nil, "method"},
		{"syntax", "", "[train\n", nil, "own.toml"},
		{"type", "", "[train]\nepochs = \"many\"\n", nil, "train.epochs = many: many is not a whole number"},
		{"number for a text", "", "[data]\npath = 3\n", nil, "data.path = 3: 3 is not a text"},
		{"fraction for a count", "", "[train]\nepochs = 3.5\n", nil, "3.5 is not a whole number"},
		{"negative seed", "", "seed = -1\n", nil, "-1 is not a whole number that is not negative"},
		{"number for a duration", "", "[train]\ntime_budget = 4\n", nil, "4 is not a duration such as 4m30s"},
		{"number for a flag", "", "[toy.net]\nbias = 1\n", nil, "1 is not true or false"},
		{"list", "", "[train]\nepochs = [3]\n", nil, "is not a whole number"},
		{"assigned key", "", "", []string{"toy.net.widht=3"}, "did you mean toy.net.width?"},
		{"no assignment", "", "", []string{"train.epochs"}, "key=value"},
		{"assigned type", "", "", []string{"train.epochs=many"}, `train.epochs=many: "many" is not a whole number`},
		{"assigned flag", "", "", []string{"toy.net.bias=maybe"}, `"maybe" is not true or false`},
		{"assigned seed", "", "", []string{"seed=-1"}, "is not a whole number that is not negative"},
		{"assigned number", "", "", []string{"train.lr=x"}, `"x" is not a number`},
		{"assigned duration", "", "", []string{"train.time_budget=4"}, `"4" is not a duration such as 4m30s`},
		{"assigned preset", "", "", []string{"preset=large"}, "cannot be assigned"},
		{"assigned method", "", "", []string{"method=toy"}, "cannot be assigned"},
		{"assigned text that is none", "", "", []string{"data.path=\xff"}, "UTF-8"},
		{"large count", "", "", []string{"train.epochs=999999999999999999"}, "train.epochs = 999999999999999999: must be at most 16777216"},
		{"large seed", "", "", []string{"seed=9223372036854775808"}, "seed = 9223372036854775808: must be below 2^63"},
		{"large seed of images", "", "", []string{"data.seed=9223372036854775808"}, "data.seed = 9223372036854775808: must be below 2^63"},
		{"validation images of no size", "", "", []string{"data.val_from_train=true"}, "data.val_from_train: say with data.val_fraction"},
		{"not a number", "", "", []string{"train.lr=NaN"}, "train.lr = NaN: must be a number of at least 0"},
		{"infinite", "", "", []string{"train.lr=Inf"}, "train.lr = +Inf"},
		{"accumulation", "", "", []string{"train.accumulation_steps=3"}, "train.accumulation_steps = 3: must divide train.batch = 8"},
		{"one of", "", "", []string{"toy.loss=cube"}, `toy.loss = "cube": must be one of square, cosine`},
		{"the section's own", "", "", []string{"toy.net.width=3", "data.augment=flip"}, "toy.net.width = 3: must be even; data.augment"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := ""
			if c.file != "" {
				file = ownFile(t, c.file)
			}
			_, err := Configure(toySpec, c.preset, file, c.set, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line with %q", err, c.want)
			}
		})
	}
	if _, err := Configure(toySpec, "", filepath.Join(t.TempDir(), "gone"), nil, nil); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("no file: error %v", err)
	}
}

// Every range in a tag is refused right outside its ends, and taken right inside.
func TestRanges(t *testing.T) {
	below, above := func(x float64) float64 { return math.Nextafter(x, -1) }, func(x float64) float64 { return math.Nextafter(x, math.Inf(1)) }
	for _, c := range []struct {
		tag     string
		in, out []float64
		words   string
	}{
		{"[0,)", []float64{0, 5e-324, math.MaxFloat64}, []float64{below(0), -1}, "at least 0"},
		{"[1,)", []float64{1, above(1)}, []float64{below(1), 0, -1}, "at least 1"},
		{"[0,1]", []float64{0, 1}, []float64{below(0), above(1)}, "in [0, 1]"},
		{"[0,1)", []float64{0, below(1)}, []float64{below(0), 1}, "in [0, 1)"},
		{"(0,1]", []float64{above(0), 1}, []float64{0, above(1)}, "in (0, 1]"},
		{"(0,1)", []float64{above(0), below(1)}, []float64{0, 1}, "in (0, 1)"},
		{"[0,64]", []float64{0, 64}, []float64{below(0), 65}, "in [0, 64]"},
		{"[-2,2)", []float64{-2, 0}, []float64{-2.5, 2}, "in [-2, 2)"},
	} {
		r := parseRange(c.tag)
		for _, x := range c.in {
			if !r.holds(x) {
				t.Errorf("%s does not hold %g", c.tag, x)
			}
		}
		for _, x := range append(c.out, math.NaN(), math.Inf(1), math.Inf(-1)) {
			if r.holds(x) {
				t.Errorf("%s holds %g", c.tag, x)
			}
		}
		if got := r.words("at least %g"); got != c.words {
			t.Errorf("%s in words: %q, want %q", c.tag, got, c.words)
		}
	}
	for _, tag := range []string{"", "0", "[a,b]", "[,1]", "[0,1,2]", "[0;1]"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is a range", tag)
				}
			}()
			parseRange(tag)
		}()
	}
}

// The limits of whole configurations are those of the tags, at their ends.
func TestLimits(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"data.val_fraction=0", "data.val_fraction=1"}, {"data.val_fraction=0.99", "data.val_fraction=-0.01"},
		{"data.label_fraction=1", "data.label_fraction=0"}, {"data.max_unreadable=1", "data.max_unreadable=1.01"},
		{"data.max_pixels=1", "data.max_pixels=0"}, {"data.max_pixels=1000000000", "data.max_pixels=1000000001"},
		{"data.limit=0", "data.limit=-1"}, {"data.cache_mb=0", "data.cache_mb=-1"}, {"data.jitter=1", "data.jitter=1.1"},
		{"data.pad=0", "data.pad=-1"}, {"data.eval.batch=1", "data.eval.batch=0"}, {"data.eval.limit=0", "data.eval.limit=-1"},
		{"train.epochs=16777216", "train.epochs=16777217"}, {"train.epochs=1", "train.epochs=0"}, {"train.batch=1", "train.batch=0"},
		{"train.lr=0", "train.lr=-1"}, {"train.min_lr=0", "train.min_lr=-1"}, {"train.warmup_epochs=0", "train.warmup_epochs=-1"},
		{"train.beta1=0", "train.beta1=1"}, {"train.beta2=0.9999", "train.beta2=1"}, {"train.eps=1e-30", "train.eps=1e-31"},
		{"train.eps=0.5", "train.eps=1"}, {"train.weight_decay=0", "train.weight_decay=-1"}, {"train.clip=0", "train.clip=-1"},
		{"train.min_crop_scale=1", "train.min_crop_scale=0"}, {"train.accumulation_steps=8", "train.accumulation_steps=0"},
		{"train.lr_scaling=sqrt", "train.lr_scaling=cube"}, {"train.lr_batch=1", "train.lr_batch=0"},
		{"train.time_budget=0s", "train.time_budget=-1ns"}, {"log.every=1", "log.every=0"}, {"log.checkpoint=0", "log.checkpoint=-1"},
		{"log.checkpoint_every=0s", "log.checkpoint_every=-1s"}, {"log.keep=1", "log.keep=0"}, {"log.eval_every=1", "log.eval_every=0"},
		{"log.every=99999999", "log.every=-1"}, {"precision=medium", "precision=low"}, {"seed=9223372036854775807", "seed=9223372036854775808"},
		{"toy.size=64", "toy.size=65"}, {"toy.size=1", "toy.size=0"}, {"toy.scale=1", "toy.scale=0"}, {"toy.net.rate=0", "toy.net.rate=1"},
		{"toy.wait=0s", "toy.wait=-1s"},
	} {
		if _, err := Configure(toySpec, "", "", []string{c.in}, nil); err != nil {
			t.Errorf("%s: %v", c.in, err)
		}
		key, _, _ := strings.Cut(c.out, "=")
		if _, err := Configure(toySpec, "", "", []string{c.out}, nil); err == nil || !strings.Contains(err.Error(), key+" = ") {
			t.Errorf("%s: error %v, want one about it", c.out, err)
		}
	}
}

func TestLRFactor(t *testing.T) {
	for _, c := range []struct {
		scaling string
		batch   int
		want    float64
	}{{"none", 32, 1}, {"linear", 32, 0.25}, {"sqrt", 32, 0.5}, {"sqrt", 128, 1}} {
		if got := (Train{LRScaling: c.scaling, LRBatch: 128, Batch: c.batch}).LRFactor(); got != c.want {
			t.Errorf("%s at batch %d: %g, want %g", c.scaling, c.batch, got, c.want)
		}
	}
}

// A resumed run may have other values of some keys, and no others.
func TestChangedKeys(t *testing.T) {
	a := toy(t)
	b := toy(t, "seed=2", "log.keep=9", "toy.path=x", "toy.size=10", "toy.net.rate=0.2", "train.checkpoint_activations=true")
	if d := cmp.Diff([]string{"seed", "toy.size", "toy.net.rate", "toy.half"}, ChangedKeys(a, b)); d != "" {
		t.Errorf("changed keys (-want +got):\n%s", d)
	}
	if Equal(a, b) || Equal(a, toy(t, "log.keep=9")) || !Equal(a, toy(t)) {
		t.Error("Equal does not compare all values")
	}
	other := a.Clone()
	other.Method = "other"
	if Equal(a, other) {
		t.Error("two methods are equal")
	}
}

func TestCloneSharesNothing(t *testing.T) {
	a := toy(t)
	a.Notes = []string{"one"}
	b := a.Clone()
	b.Section.(*section).Net.Width, b.Train.Epochs, b.Notes[0] = 2, 99, "two"
	if s := a.Section.(*section); s.Net.Width != 4 || a.Train.Epochs != 2 || a.Notes[0] != "one" {
		t.Errorf("a change of the clone changed %s", a.TOML())
	}
}

func TestExplain(t *testing.T) {
	c := toy(t)
	all := map[string]Explained{}
	var keys []string
	for _, e := range c.Explain() {
		all[e.Key] = e
		keys = append(keys, e.Key)
	}
	if d := cmp.Diff(c.Keys(), keys); d != "" {
		t.Errorf("keys (-have +explained):\n%s", d)
	}
	for _, want := range []Explained{
		{Key: "toy.size", Value: "8", Wants: "a whole number, in [1, 64]", Help: "of it"},
		{Key: "toy.net.bias", Value: "true", Wants: "true or false", Help: "of it"},
		{Key: "toy.loss", Value: "square", Wants: "square, cosine", Help: "of it"},
		{Key: "toy.path", Wants: "a text", Help: "to it", Free: true},
		{Key: "toy.wait", Value: "0s", Wants: "a duration such as 4m30s", Help: "for it"},
		{Key: "toy.net.rate", Value: "0.1", Wants: "a number, in [0, 1)", Help: "of it"},
		{Key: "toy.net.seed", Value: "1152921504606846976", Wants: "a whole number that is not negative", Help: "of it"},
	} {
		if d := cmp.Diff(want, all[want.Key]); d != "" {
			t.Errorf("%s (-want +got):\n%s", want.Key, d)
		}
	}
}

func TestNetworkJSON(t *testing.T) {
	want := net{Width: -3, Bias: true, Seed: math.MaxUint64, inner: inner{0.1}}
	text, err := MarshalNetwork(&want)
	if err != nil || string(text) != `{"bias":true,"rate":0.1,"seed":18446744073709551615,"width":-3}` {
		t.Fatalf("%s, error %v", text, err)
	}
	got := net{Width: 5}
	if err := UnmarshalNetwork(text, &got); err != nil || got != want {
		t.Errorf("read %+v, want %+v, error %v", got, want, err)
	}
	if err := UnmarshalNetwork([]byte(`{"width":7}`), &got); err != nil || got.Width != 7 || got.Seed != want.Seed {
		t.Errorf("values that are not there: %+v, error %v", got, err)
	}
	for text, want := range map[string]string{
		`{"depth":7}`: "unknown key depth", `{"width":"7"}`: "width: 7 is not a whole number", `{"width":1.5}`: `width: "1.5" is not a whole number`,
		`{"width":true}`: "is not a whole number", `{"bias":1}`: "is not true or false", `{"seed":-1}`: "seed", `{"rate":"0.1"}`: "rate",
		`{"width":null}`: "is not a whole number", `{"width":{"a":1}}`: "is not a whole number", `[]`: "", ``: "", `{"width":1e99}`: "width",
	} {
		if err := UnmarshalNetwork([]byte(text), &net{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
	var named struct {
		Name string `toml:"name"`
	}
	if err := UnmarshalNetwork([]byte(`{"name":5}`), &named); err == nil || !strings.Contains(err.Error(), "name: 5 is not a text") {
		t.Errorf("a number for a text: %q, error %v", named.Name, err)
	}
}

func TestMethodOf(t *testing.T) {
	for text, want := range map[string]string{
		"method = \"toy\"": "toy", "stage = \"pretrain\"": "pretrain", "stage = \"teacher\"": "dino", "method = \"teacher\"": "dino", "": "", "[a]\nb=1": "",
	} {
		if got, err := MethodOf(text); got != want || err != nil {
			t.Errorf("%q is of %q, want %q, error %v", text, got, want, err)
		}
	}
	for _, text := range []string{"[[", "method = 3"} {
		if name, err := MethodOf(text); err == nil {
			t.Errorf("%q is of %q", text, name)
		}
	}
}

// seeds are texts that fuzzing begins with.
func seeds(t testing.TB) []string {
	whole := toy(t).TOML()
	list := []string{
		whole, "", "preset = \"small32\"", "preset = \"small32\"\nstage = \"toy\"\n", "preset = \"small32\"\n[train]\naccum = 2\n",
		"preset = \"small32\"\n[data]\nlabelled = 0.5\nlabel_fraction = 0.25\n", "preset = \"small32\"\n[toy.net]\n", "preset=\"small32\"\nseed=1e3",
		"preset = \"small32\"\ndata.path = \"\\u0000\"", "preset=\"small32\"\n[train]\nlr = nan", "preset=\"small32\"\n[train]\nlr = inf",
		"preset=\"small32\"\n[toy]\nwait=\"1h\"\n", "[teacher]\n", "preset=\"small32\"\nteacher=1",
	}
	for i := range 6 {
		list = append(list, whole[:len(whole)*(i+1)/7])
	}
	return list
}

// Whatever a file says, Read does not panic, and what it takes can be written and read again.
func FuzzRead(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Read(toySpec, text, "source")
		if err != nil {
			if strings.Contains(err.Error(), "\n") && !strings.Contains(text, "\n") {
				t.Errorf("error of several lines: %v", err)
			}
			return
		}
		again, err := Read(toySpec, c.TOML(), "again")
		if err != nil || !Equal(c, again) || len(again.Notes) != 0 {
			t.Errorf("%s\nis read as an error %v", c.TOML(), err)
		}
	})
}

// An assignment that is taken can be written and read again.
func FuzzSet(f *testing.F) {
	for _, key := range toy(f).Keys() {
		f.Add(key + "=1")
	}
	for _, s := range []string{"data.path=\xff", "data.path=\x00", "data.path='\"\\", "train.accum=2", "=", "==", "", "train.lr=0x1p-2", "seed=0b1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, assignment string) {
		c, err := Configure(toySpec, "", "", []string{assignment}, nil)
		if err != nil {
			return
		}
		again, err := Read(toySpec, c.TOML(), "again")
		if err != nil || !Equal(c, again) {
			t.Errorf("%q: %s\nis read as an error %v", assignment, c.TOML(), err)
		}
	})
}

// Checker's errors are one line.
func TestCheckerIsOneLine(t *testing.T) {
	var k Checker
	k.Part("table", nil)
	if !k.OK() || k.err() != nil {
		t.Error("nothing is wrong")
	}
	k.Part("table", fmt.Errorf("one\ntwo"))
	k.Numbers("large", 1<<20, 1<<20)
	k.Numbers("small", 1<<10, 1<<10)
	if err := k.err(); k.OK() || err.Error() != "config: table: one; two; large: 1048576 x 1048576 parameters: no machine holds them" {
		t.Errorf("error %v", err)
	}
	if slices.Contains(toy(t).Keys(), "notes") {
		t.Error("notes are a key")
	}
}
