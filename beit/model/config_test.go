package model_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/weights"
)

// configure is Configure of a method by its name.
func configure(name, preset, file string, set ...string) (*config.Config, error) {
	m, err := model.Methods().Find(name)
	if err != nil {
		return nil, err
	}
	c, _, err := m.Configure(preset, file, set, model.Opener())
	return c, err
}

// eachPreset calls f for every preset of every method.
func eachPreset(t *testing.T, f func(t *testing.T, m *method.Method, c *config.Config)) {
	t.Helper()
	for _, m := range model.Methods() {
		for _, name := range m.Presets {
			t.Run(m.Name+" "+name, func(t *testing.T) {
				c, err := configure(m.Name, name, "")
				if err != nil {
					t.Fatal(err)
				}
				f(t, m, c)
			})
		}
	}
}

// Presets are as Configure completes them: nothing is left to be derived, and nothing is wrong with them.
func TestPresetsAreWhole(t *testing.T) {
	eachPreset(t, func(t *testing.T, m *method.Method, c *config.Config) {
		plain := m.Preset(c.Preset)
		plain.Preset = c.Preset
		if err := plain.Check(); err != nil {
			t.Error(err)
		}
		if m.Name != "finetune" && !config.Equal(plain, c) { // fine-tuning shows images as suits their size
			t.Errorf("(-preset +configured):\n%s", cmp.Diff(plain.TOML(), c.TOML()))
		}
	})
}

func TestConfigRoundTrip(t *testing.T) {
	eachPreset(t, func(t *testing.T, m *method.Method, c *config.Config) {
		want, err := configure(m.Name, c.Preset, "", "seed=7", "train.time_budget=4m30s", `data.path=C:\images "of" mine`)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(file, []byte(want.TOML()), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := configure(m.Name, "", file)
		if err != nil {
			t.Fatal(err)
		}
		want.Assigned = got.Assigned // all keys, for the file has them
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if got.Train.TimeBudget != 270*time.Second || config.ChangedKeys(want, got) != nil {
			t.Errorf("time budget %s, changed keys %v", got.Train.TimeBudget, config.ChangedKeys(want, got))
		}
		known, read, err := model.Methods().Read(want.TOML(), "config")
		if err != nil || known != m || !config.Equal(want, read) {
			t.Errorf("read as %v, error %v", known, err)
		}
	})
}

// Every key of every method has a help text, and its value is what an assignment gives it.
func TestExplained(t *testing.T) {
	for _, m := range model.Methods() {
		c, err := configure(m.Name, "", "")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, e := range c.Explain() {
			if e.Help == "" || e.Wants == "" || strings.HasSuffix(e.Help, ".") || len(e.Help) > 200 {
				t.Errorf("%+v: help of one sentence is wanted", e)
			}
			if seen[e.Key] {
				t.Errorf("%s is there twice", e.Key)
			}
			seen[e.Key] = true
			if e.Key == "method" || e.Key == "preset" {
				continue
			}
			again := c.Clone()
			if err := again.Set(e.Key + "=" + e.Value); err != nil || !config.Equal(c, again) {
				t.Errorf("%s=%s changes something: error %v", e.Key, e.Value, err)
			}
		}
	}
}

// What the keys of methods' sections are limited to by their tags.
func TestLimitsOfSections(t *testing.T) {
	want := map[string]string{
		"tokenizer.teacher": "hog, hog-ref, run, clip, dino, pixels", "tokenizer.teacher_block": "a whole number, at least 0",
		"tokenizer.kmeans_tokens": "a whole number, at least 0",

		"dino.crops.small": "a whole number, in [0, 64]", "dino.crops.small_size": "a whole number, at least 1", "dino.crops.split": "a number, in (0, 1]",
		"dino.warmup_teacher_temp_epochs": "a whole number, at least 0", "dino.freeze_last_layer_epochs": "a whole number, at least 0",

		"finetune.network": "vit, clip, openclip", "finetune.ema": "a number, in [0, 1)", "finetune.layer_decay": "a number, in (0, 1]",
		"finetune.smoothing": "a number, in [0, 1)", "finetune.mixup": "a number, at least 0", "finetune.cutmix": "a number, at least 0",
		"finetune.rand_magnitude": "a number, in [0, 10]", "finetune.rand_ops": "a whole number, at least 0", "finetune.erase": "a number, in [0, 1]",
	}
	for _, m := range model.Methods() {
		c, err := configure(m.Name, "", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range c.Explain() {
			if limit, ok := want[e.Key]; ok && limit != e.Wants {
				t.Errorf("%s wants %s, want %s", e.Key, e.Wants, limit)
			}
			delete(want, e.Key)
		}
	}
	for key := range want {
		t.Errorf("no method has %s", key)
	}
}

// limits reads what Explain says of a range.
var limits = regexp.MustCompile(`(?:at least (\S+)|in ([\[(])(\S+), (\S+)([\])]))$`)

// The ranges of every method's keys are refused right outside their ends, and taken right inside.
func TestRangesOfAllKeys(t *testing.T) {
	checked := 0
	for _, m := range model.Methods() {
		c, err := configure(m.Name, "", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range c.Explain() {
			found := limits.FindStringSubmatch(e.Wants)
			if found == nil {
				continue
			}
			whole, form := strings.HasPrefix(e.Wants, "a whole number"), byte('g')
			if whole {
				form = 'f'
			}
			refused := func(x float64) bool {
				bad := c.Clone()
				if err := bad.Set(fmt.Sprintf("%s=%s", e.Key, strconv.FormatFloat(x, form, -1, 64))); err != nil {
					t.Fatal(err)
				}
				err := bad.Check()
				return err != nil && regexp.MustCompile(regexp.QuoteMeta(e.Key)+` = \S+: must be (a number of )?(at least|in [\[(])`).MatchString(err.Error())
			}
			edge := func(text string, open bool, outwards float64) {
				x, err := strconv.ParseFloat(text, 64)
				if err != nil {
					t.Fatal(err)
				}
				beyond, within := math.Nextafter(x, math.Inf(int(outwards))), math.Nextafter(x, math.Inf(int(-outwards)))
				if whole {
					beyond, within = x+outwards, x-outwards
				}
				if !refused(beyond) || refused(x) != open || refused(within) {
					t.Errorf("%s, %s: %g refused %v, %g refused %v, %g refused %v", e.Key, e.Wants, beyond, refused(beyond), x, refused(x), within, refused(within))
				}
				checked++
			}
			if found[1] != "" {
				edge(found[1], false, -1)
				continue
			}
			edge(found[3], found[2] == "(", -1)
			edge(found[4], found[5] == ")", 1)
		}
	}
	if checked < 4*20 {
		t.Errorf("%d ends of ranges", checked)
	}
}

// A network's configuration in a model file is that of the run, for every preset.
func TestCardRoundTrip(t *testing.T) {
	eachPreset(t, func(t *testing.T, m *method.Method, c *config.Config) {
		list := []*config.Config{c}
		if m == finetune.Method {
			clip := c.Clone()
			finetune.SectionOf(clip).Network = "clip"
			list = append(list, clip)
		}
		for _, c := range list {
			want := m.Card(c)
			zero := func() any { return reflect.New(reflect.TypeOf(want.Network).Elem()).Interface() }
			text, err := config.MarshalNetwork(want.Network)
			if err != nil {
				t.Fatal(err)
			}
			network := zero()
			if err := config.UnmarshalNetwork(text, network); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want.Network, network); d != "" {
				t.Errorf("network (-want +got):\n%s", d)
			}
			got, err := method.ParseCard(want.JSON(), func(name string, kind weights.Kind) (any, error) {
				if name != m.Name || kind != want.Kind {
					t.Errorf("asked for %s of %s", kind, name)
				}
				return zero(), nil
			})
			if d := cmp.Diff(want, got); d != "" || err != nil {
				t.Errorf("card, error %v (-want +got):\n%s", err, d)
			}
			if want.Method != m.Name || want.Input.Size != m.ImageSize(c) || want.Input.Grid < 1 {
				t.Errorf("card %s", want.JSON())
			}
		}
	})
}

func TestConfigErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		method string
		preset string
		file   string
		set    []string
		want   string
	}{
		{"method", "tokeniser", "", "", nil, `did you mean "tokenizer"`},
		{"preset", "pretrain", "smal32", "", nil, `did you mean "small32"`},
		{"key in a file", "tokenizer", "", "[train]\nepoch = 3\n", nil, "unknown key train.epoch of method tokenizer; did you mean train.epochs?"},
		{"table in a file", "tokenizer", "", "[trian]\n", nil, "unknown key trian"},
		{"key of another method", "tokenizer", "", "[pretrain]\ntarget = \"codes\"\n", nil, "unknown key pretrain"},
		{"another method", "tokenizer", "", "method = \"pretrain\"\n", nil, `is a configuration of another method than "tokenizer"`},
		{"another method by the old key", "tokenizer", "", "stage = \"pretrain\"\n", nil, `is a configuration of another method than "tokenizer"`},
		{"syntax", "tokenizer", "", "[train\n", nil, "own.toml"},
		{"type", "tokenizer", "", "[train]\nepochs = \"many\"\n", nil, "epochs"},
		{"assigned key", "tokenizer", "", "", []string{"tokenizer.model.encoder.dept=3"}, "did you mean tokenizer.model.encoder.depth?"},
		{"no assignment", "tokenizer", "", "", []string{"train.epochs"}, "key=value"},
		{"assigned type", "tokenizer", "", "", []string{"train.epochs=many"}, "is not a whole number"},
		{"assigned duration", "tokenizer", "", "", []string{"train.time_budget=4"}, "is not a duration"},
		{"assigned preset", "tokenizer", "", "", []string{"preset=small64"}, "cannot be assigned"},
		{"value", "tokenizer", "", "", []string{"data.augment=flip"}, "data.augment"},
		{"not a number", "tokenizer", "", "", []string{"train.lr=NaN"}, "train.lr"},
		{"not a number where any is allowed", "tokenizer", "", "", []string{"tokenizer.model.encoder.layer_scale=NaN"}, "layer_scale = NaN: must be a finite number"},
		{"infinite", "tokenizer", "", "", []string{"tokenizer.model.encoder.init_scale=inf"}, "init_scale = +Inf: must be"},
		{"accumulation", "tokenizer", "", "", []string{"train.accumulation_steps=3"}, "train.accumulation_steps"},
		{"accumulation by the old key", "tokenizer", "", "", []string{"train.accum=3"}, "train.accumulation_steps"},
		{"model", "pretrain", "", "", []string{"pretrain.model.vit.heads=5"}, "width = 192"},
		{"mask", "pretrain", "", "", []string{"pretrain.mask.count=64"}, "pretrain.mask.count"},
		{"target", "pretrain", "", "", []string{"pretrain.target=pixels"}, "pretrain.target = \"pixels\": must be one of codes, features, dalle, pixel-kmeans"},
		{"epochs", "tokenizer", "", "", []string{"train.epochs=999999999999999999"}, "train.epochs"},
		{"codes", "tokenizer", "", "", []string{"tokenizer.model.codes=16777216", "tokenizer.model.code_dim=1024"}, "tokenizer.model.codes: 16777216 x 1024"},
		{"width", "tokenizer", "", "", []string{"tokenizer.model.decoder.width=300000"}, "tokenizer.model.decoder: 1 blocks of width 300000"},
		{"width whose square overflows", "pretrain", "", "", []string{"pretrain.model.vit.width=6000000000"}, "pretrain.model.vit.width"},
		{"depth", "pretrain", "", "", []string{"pretrain.model.vit.depth=10000000"}, "10000000 blocks"},
		{"aggregation", "pretrain", "", "", []string{"pretrain.model.aggregation.depth=1025"}, "pretrain.model.aggregation.depth = 1025: must be at most 1024"},
		{"vocabulary", "pretrain", "", "", []string{"pretrain.model.vocab=16000000", "pretrain.model.vit.width=768"}, "pretrain.model.vocab: 16000000 x 768"},
		{"patches", "pretrain", "", "", []string{"pretrain.model.vit.image_size=32000"}, "8000 x 8000 patches"},
		{"oblong", "pretrain", "", "", []string{"pretrain.model.vit.image_size=32x64"}, "image_size = 32x64: method pretrain takes squares alone"},
		{"oblong tokenizer", "tokenizer", "", "", []string{"tokenizer.model.encoder.image_size=32x64"}, "32x64: method tokenizer takes squares alone"},
		{"oblong crops", "dino", "", "", []string{"dino.model.vit.image_size=128x64"}, "128x64: method dino takes squares alone"},
		{"channels", "pretrain", "", "", []string{"pretrain.model.vit.channels=4"}, "channels = 4: method pretrain takes red, green and blue alone"},
		{"16 bits", "tokenizer", "", "", []string{"data.keep_16_bits=true"}, "method tokenizer takes 8 bits alone"},
		{"padding", "pretrain", "", "", []string{"data.pad=32"}, "data.pad = 32: must be below the image's side 32"},
		{"augmentation of dino", "dino", "", "", []string{"data.augment=crop"}, "data.augment"},
		{"small crops", "dino", "", "", []string{"dino.crops.small_size=15"}, "dino.crops.small_size = 15"},
		{"number of crops", "dino", "", "", []string{"dino.crops.small=65"}, "dino.crops.small"},
		{"split of crops", "dino", "", "", []string{"dino.crops.split=0.05"}, "dino.crops.split"},
		{"temperature", "dino", "", "", []string{"dino.model.teacher_temp=0"}, "teacher_temp"},
		{"outputs", "dino", "", "", []string{"dino.model.outputs=16777216", "dino.model.bottleneck=4096"}, "dino.model.outputs: 16777216 x 4096"},
		{"shape of dino", "dino", "", "", []string{"dino.model.vit.layer_scale=0.1"}, "layer_scale"},
		{"classes", "finetune", "", "", []string{"finetune.model.classes=16777216", "finetune.model.width=768"}, "finetune.model.classes: 16777216 x 768"},
		{"patch", "tokenizer", "", "", []string{"tokenizer.model.encoder.image_size=65536", "tokenizer.model.encoder.patch_size=65536"}, "patch_size"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := ""
			if c.file != "" {
				file = filepath.Join(t.TempDir(), "own.toml")
				if err := os.WriteFile(file, []byte(c.file), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			_, err := configure(c.method, c.preset, file, c.set...)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line with %q", err, c.want)
			}
		})
	}
}

// Names are not used twice: those of methods, of finished models, and of the streams that shuffle images.
func TestMethodsAreDistinct(t *testing.T) {
	seen := map[string]string{}
	for _, m := range model.Methods() {
		for what, s := range map[string]string{"name": m.Name, "file": m.ModelFile, "stream": m.Stream, "command": m.Command, "title": m.Title} {
			if key := what + " " + s; s == "" || seen[key] != "" {
				t.Errorf("%s %q of %s and of %s", what, s, m.Name, seen[key])
			} else {
				seen[key] = m.Name
			}
		}
	}
	list := model.Methods()
	list[0] = nil
	if model.Methods()[0] == nil {
		t.Error("the list can be changed")
	}
}
