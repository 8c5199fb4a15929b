package weights_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// described opens a file of tensors with others beside it.
func described(t *testing.T, name string, l list, beside map[string]string) (*weights.Model, error) {
	t.Helper()
	path := writeList(t, name, "model", shrunk(l))
	for file, text := range beside {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), file), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	m, err := weights.Open(path)
	if err == nil {
		t.Cleanup(func() { m.Close() })
	}
	return m, err
}

const preprocessor = `{"do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": 224}`

var grey = data.Norm{Mean: [3]float32{0.1, 0.2, 0.3}, Std: [3]float32{0.2, 0.25, 0.5}}

// What files beside the weights say of activation, normalisation and classes is believed; what nothing says is told as an assumption.
func TestBeside(t *testing.T) {
	beitFile, clipFile := classifier(base, 7, false), clip()
	seven := `{"0":"a","1":"b","2":"c","3":"d","4":"e","5":"f","6":"g"}`
	letters := strings.Split("abcdefg", "")
	for name, c := range map[string]struct {
		file    string
		list    list
		beside  map[string]string
		norm    data.Norm
		gelu    bool
		classes []string
		assumed string // part of the only warning; empty: none
	}{
		"nothing":            {"x.safetensors", beitFile, nil, data.ImageNet, false, nil, "does not tell how images were normalised"},
		"named as version 2": {"beitv2_base_patch16_224.safetensors", beitFile, nil, data.ImageNet, false, nil, ""},
		"aggregation layers": {"x.safetensors", pretrained(base), nil, data.ImageNet, false, nil, ""},
		"preprocessor":       {"x.safetensors", beitFile, map[string]string{"preprocessor_config.json": preprocessor}, data.Inception, false, nil, ""},
		"processor of 5":     {"x.safetensors", beitFile, map[string]string{"processor_config.json": `{"image_processor": ` + preprocessor + `}`}, data.Inception, false, nil, ""},
		"no normalisation":   {"x.safetensors", beitFile, map[string]string{"preprocessor_config.json": `{"do_normalize": false}`}, data.Unit, false, nil, ""},
		"own normalisation":  {"x.safetensors", beitFile, map[string]string{"preprocessor_config.json": `{"image_mean": [0.1,0.2,0.3], "image_std": [0.2,0.25,0.5]}`}, grey, false, nil, ""},
		"timm":               {"x.safetensors", beitFile, map[string]string{"config.json": `{"architecture": "beit_base_patch16_224", "num_features": 64, "pretrained_cfg": {"mean": [0.5,0.5,0.5], "std": [0.5,0.5,0.5], "label_names": ["a","b","c","d","e","f","g"]}}`}, data.Inception, false, letters, ""},
		"timm, version 1":    {"x.safetensors", beitFile, map[string]string{"config.json": `{"architecture": "beit_base_patch16_224"}`}, data.Inception, false, nil, ""},
		"timm, version 2":    {"x.safetensors", beitFile, map[string]string{"config.json": `{"architecture": "beitv2_base_patch16_224"}`}, data.ImageNet, false, nil, ""},
		"CLIP's default":     {"x.safetensors", clipHF(), map[string]string{"config.json": `{"model_type": "clip", "vision_config": {"hidden_size": 64}}`}, clipNorm, false, nil, ""},
		"classes":            {"beitv2.safetensors", beitFile, map[string]string{"config.json": `{"hidden_size": 64, "hidden_act": "gelu", "id2label": ` + seven + `}`}, data.ImageNet, false, letters, ""},
		"numbered classes":   {"beitv2.safetensors", beitFile, map[string]string{"config.json": `{"id2label": {"0":"LABEL_0","1":"LABEL_1"}}`}, data.ImageNet, false, nil, ""},
		"too few classes":    {"beitv2.safetensors", beitFile, map[string]string{"config.json": `{"id2label": {"0":"a","1":"b"}}`}, data.ImageNet, false, nil, "names 2 classes, its head has 7 outputs"},
		"another model's":    {"beitv2.safetensors", beitFile, map[string]string{"config.json": `{"hidden_size": 768, "num_hidden_layers": 12, "id2label": ` + seven + `}`, "preprocessor_config.json": preprocessor}, data.ImageNet, false, nil, "its hidden_size is 768, here it is 64"},
		"no JSON":            {"beitv2.safetensors", beitFile, map[string]string{"preprocessor_config.json": "<html>"}, data.ImageNet, false, nil, "preprocessor_config.json beside it is not used: invalid character"},
		"two colours":        {"beitv2.safetensors", beitFile, map[string]string{"preprocessor_config.json": `{"image_mean": [0.5,0.5], "image_std": [0.5,0.5]}`}, data.ImageNet, false, nil, "have 2 and 2 numbers, not 3"},
		"no deviation":       {"beitv2.safetensors", beitFile, map[string]string{"preprocessor_config.json": `{"image_mean": [0,0,0], "image_std": [1,0,1]}`}, data.ImageNet, false, nil, "normalise no image"},
		"other forms":        {"beitv2.safetensors", beitFile, map[string]string{"config.json": `{"hidden_size": "64", "id2label": [], "pretrained_cfg": 3, "hidden_act": null}`}, data.ImageNet, false, nil, ""},
		"in part": {"beitv2.safetensors", beitFile, map[string]string{"config.json": `{"architecture": "beit_base_patch16_224", "label_names": ["a","b","c","d","e","f","g"], "mean": [0.5,0.5], "std": [0.5,0.5]}`},
			data.ImageNet, false, nil, "config.json beside it is not used: mean and std have 2 and 2 numbers"},
		"in part, of CLIP": {"x.pth", clipFile, map[string]string{"open_clip_config.json": `{"model_cfg": {"embed_dim": 32}, "preprocess_cfg": {"mean": [0.5], "std": [0.5]}}`},
			clipNorm, false, nil, "names and shapes do not tell the activation"},
		"broken, and another": {"beitv2.safetensors", beitFile, map[string]string{"config.json": "{", "preprocessor_config.json": preprocessor},
			data.Inception, false, nil, "config.json beside it is not used: unexpected end"},
		"half a list":           {"beitv2.safetensors", beitFile, map[string]string{"config.json": `{"id2label": ` + seven + `, "label_names": ["x", "y", "z", "x", "y", "z", 7]}`}, data.ImageNet, false, letters, ""},
		"CLIP alone":            {"x.safetensors", clipFile, nil, clipNorm, false, nil, "names and shapes do not tell the activation: QuickGELU is taken"},
		"OpenCLIP":              {"x.pth", clipFile, map[string]string{"open_clip_config.json": `{"model_cfg": {"embed_dim": 32, "vision_cfg": {"width": 64, "layers": 2}}, "preprocess_cfg": {"mean": [0.5,0.5,0.5], "std": [0.5,0.5,0.5]}}`}, data.Inception, true, nil, ""},
		"OpenCLIP, quick":       {"x.pth", clipFile, map[string]string{"open_clip_config.json": `{"model_cfg": {"quick_gelu": true, "vision_cfg": {"width": 64}}}`}, clipNorm, false, nil, ""},
		"another OpenCLIP":      {"x.pth", clipFile, map[string]string{"open_clip_config.json": `{"model_cfg": {"vision_cfg": {"width": 768}}}`}, clipNorm, false, nil, "its width is 768"},
		"Hugging Face's CLIP":   {"x.safetensors", clipHF(), map[string]string{"config.json": `{"hidden_act": "x", "vision_config": {"hidden_size": 64, "hidden_act": "gelu"}}`}, clipNorm, true, nil, ""},
		"Hugging Face's vision": {"x.safetensors", clipHF(), map[string]string{"config.json": `{"hidden_size": 64, "hidden_act": "quick_gelu"}`}, clipNorm, false, nil, ""},
	} {
		m, err := described(t, c.file, c.list, c.beside)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m.Norm() != c.norm || m.CLIP.GELU != c.gelu || !slices.Equal(m.Classes, c.classes) {
			t.Errorf("%s: %v, GELU %v, classes %q", name, m.Norm(), m.CLIP.GELU, m.Classes)
		}
		var warnings []string
		for _, n := range m.Notes {
			if n.Assumed {
				warnings = append(warnings, n.Text)
			}
			if !strings.Contains(n.Text, m.File().Name()) || strings.Contains(n.Text, "\n") {
				t.Errorf("%s: %q", name, n.Text)
			}
		}
		if c.assumed == "" && len(warnings) > 0 || c.assumed != "" && (!strings.Contains(strings.Join(warnings, "\n"), c.assumed)) {
			t.Errorf("%s: warnings %q, want %q", name, warnings, c.assumed)
		}
	}
}

var clipNorm = data.Norm{Mean: beit.CLIPMean, Std: beit.CLIPStd}

// An activation that cannot be computed is an error, and not another one in its place.
func TestUnknownActivation(t *testing.T) {
	for _, c := range []struct {
		l   list
		act string
	}{{classifier(base, 7, false), "quick_gelu"}, {classifier(base, 7, false), "relu"}, {clipHF(), "gelu_new"}} {
		_, err := described(t, "x.safetensors", c.l, map[string]string{"config.json": `{"hidden_act": "` + c.act + `"}`})
		if err == nil || !strings.Contains(err.Error(), `the activation is "`+c.act+`"`) {
			t.Errorf("%s: %v", c.act, err)
		}
	}
}

// The activation is that of the network which is built, and of the config.json which is written.
func TestActivationOfNetwork(t *testing.T) {
	for act, quick := range map[string]bool{"gelu": false, "quick_gelu": true} {
		m, err := described(t, "x.safetensors", clipHF(), map[string]string{"config.json": `{"hidden_act": "` + act + `"}`})
		if err != nil {
			t.Fatal(err)
		}
		if tower := m.Declare(nn.NewSet().Scope()).(*beit.CLIP); tower.Blocks[0].MLP.QuickGELU != quick {
			t.Errorf("%s: QuickGELU is %v", act, tower.Blocks[0].MLP.QuickGELU)
		}
		text, err := m.HFConfig(nil)
		if err != nil || !strings.Contains(string(text), `"hidden_act": "`+act+`"`) {
			t.Errorf("%s: %s %v", act, text, err)
		}
	}
}

// Key and prefix that the weights stood under are told in one line, with what was not taken.
func TestOrigin(t *testing.T) {
	l := shrunk(classifier(base, 7, false))
	both := append(l.under("module.teacher."), l.under("module.student.")...)
	m, err := weights.Open(writeList(t, "x.pth", "model_ema", both))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	const want = `: weights under the key "model_ema", with the prefix "teacher.", with names wrapped by ["module"]; not taken: names that begin with ["student."] (--key chooses)`
	if got := m.Notes[0]; got.Text != m.File().Name()+want || got.Assumed {
		t.Errorf("%q, want %q", got.Text, want)
	}
}

// The file for Hugging Face has the sizes that show an image as validation does.
func TestHFPreprocessor(t *testing.T) {
	for whole, shorter := range map[bool]int{false: 256, true: 224} {
		text, err := weights.HFPreprocessor(224, whole, grey)
		if err != nil {
			t.Fatal(err)
		}
		var p struct {
			Size struct {
				Shortest int `json:"shortest_edge"`
			}
			Crop struct{ Height, Width int } `json:"crop_size"`
			Mean [3]float32                  `json:"image_mean"`
			Std  [3]float32                  `json:"image_std"`
		}
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		if p.Size.Shortest != shorter || p.Crop.Height != 224 || p.Crop.Width != 224 || p.Mean != grey.Mean || p.Std != grey.Std {
			t.Errorf("whole %v: %+v", whole, p)
		}
	}
}

// Any files beside weights are read, or told to be wrong.
func FuzzBeside(f *testing.F) {
	f.Add([]byte(preprocessor), []byte(`{"hidden_size": 64, "id2label": {"0": "a"}, "vision_config": {"hidden_act": "gelu"}, "pretrained_cfg": {"mean": [1]}}`))
	f.Add([]byte(`{"image_processor": {}}`), []byte(`{"model_cfg": {"vision_cfg": {"width": 64, "layers": 2}}}`))
	path := writeList(f, "x.safetensors", "", shrunk(clip()))
	f.Fuzz(func(t *testing.T, one, other []byte) {
		for i, name := range []string{"preprocessor_config.json", "processor_config.json", "config.json", "open_clip_config.json"} {
			text := one
			if i%2 == 1 {
				text = other
			}
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), text, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		m, err := weights.Open(path)
		if err != nil {
			return
		}
		defer m.Close()
		if err := weights.CheckNorm(m.Norm()); err != nil {
			t.Error(err)
		}
	})
}
