package weights_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn/state"
)

// under puts a prefix before all names of a list but those of which one of the given texts is a part.
func (l list) under(prefix string, except ...string) (out list) {
	for _, t := range l {
		if !slices.ContainsFunc(except, func(e string) bool { return strings.Contains(t.Name, e) }) {
			t.Name = prefix + t.Name
		}
		out = append(out, t)
	}
	return out
}

// Whatever wrappers and owners have put before the names, the model is the one that it is without them.
func TestPrefixes(t *testing.T) {
	kinds := map[string]list{
		"classifier": classifier(base, 1000, true), "mim": pretrained(base), "hf": beitHF(base, 1000), "bare hf": beitModelHF(base), "dino": dino(), "dino hf": dinoHF(),
		"clip": clip(), "clip hf": clipHF(), "tokenizer": tokenizer(1, 512), "segmenter": segmenter(size{768, 12, 12, 16, 32}),
	}
	prefixes := strings.Fields("module. _orig_mod. model. net. network. backbone. encoder. student. teacher. _fsdp_wrapped_module. base_model.model. module._orig_mod. " +
		"_orig_mod.module. module.model. model.backbone. module.encoder. teacher.backbone. module.student. _forward_module. ema. target_encoder. vit. module.base_encoder. learner. 0. visual.")
	for kind, l := range kinds {
		l = shrunk(l)
		want := tensorsOf(t, l)
		for _, prefix := range prefixes {
			if kind == "bare hf" && prefix == "vit." { // is what Hugging Face calls a ViT's
				continue
			}
			m := opened(t, l.under(prefix))
			if diff := cmp.Diff(want, names(m)); diff != "" {
				t.Errorf("%s under %s: %s", kind, prefix, diff)
			}
		}
	}
}

// A prefix that a name lacks, in whole or in part, and wrappers within names do no harm.
func TestMixedPrefixes(t *testing.T) {
	l := shrunk(classifier(base, 1000, true))
	want := tensorsOf(t, l)
	inner := slices.Clone(l)
	for i := range inner {
		inner[i].Name = strings.Replace(inner[i].Name, "blocks.1.", "blocks.1._fsdp_wrapped_module._checkpoint_wrapped_module.", 1)
	}
	for name, l := range map[string]list{
		"head lacks it": l.under("module.", "head."), "head lacks the owner": l.under("backbone.", "head."), "head has a part of it": l.under("backbone.", "head.").under("model."),
		"one tensor has it": l.under("module.", "blocks", "patch", "cls", "norm"), "one block has it": l.under("module.", "blocks.1", "patch", "cls", "norm", "head"),
		"one tensor has an owner": l.under("backbone.", "blocks", "patch", "cls", "norm"), "one block has an owner": l.under("backbone.", "blocks.0", "patch", "cls", "norm", "head"),
		"within names": inner, "within and before": inner.under("_orig_mod."), "head has an owner": l.under("model.", "blocks", "patch", "cls", "norm"),
	} {
		if diff := cmp.Diff(want, names(opened(t, l))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Of two models in a file the preferred one is taken, and the other is left out whole.
func TestRivals(t *testing.T) {
	l := shrunk(classifier(base, 1000, false))
	for _, c := range []struct{ taken, left, rival string }{
		{"teacher.", "student.", "student."}, {"target_encoder.", "encoder.", "encoder."}, {"model.", "ema.", "ema."}, {"", "student.", "student."},
		{"model.teacher.", "model.student.", "model.student."}, {"teacher.backbone.", "student.backbone.", "student."}, {"base_encoder.", "momentum_encoder.", "momentum_encoder."}, {"", "aux.", "aux."},
		{"model.", "model.ema.", "model.ema."},
	} {
		rivals := l.under(c.left)
		rivals.f32(c.rival+"head.extra.weight", 0)
		both := append(l.under(c.taken), rivals...)
		m := opened(t, both)
		if m.Prefix != c.taken || !slices.Equal(m.Rivals, []string{c.rival}) {
			t.Errorf("%+v: took %q, left %q", c, m.Prefix, m.Rivals)
		}
		if diff := cmp.Diff(tensorsOf(t, l), names(m)); diff != "" {
			t.Errorf("%+v: %s", c, diff)
		}
		var want []string
		for _, x := range rivals {
			want = append(want, x.Name)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, slices.Sorted(slices.Values(m.LeftOut))); diff != "" {
			t.Errorf("%+v: left out: %s", c, diff)
		}
	}
}

// Our own kinds are not taken for one another, with an owner or without.
func TestOwnersAreNoKinds(t *testing.T) {
	for name, c := range map[string]struct {
		l    list
		kind weights.Kind
	}{
		"classifier in a backbone":  {classifier(base, 1000, true).under("backbone."), weights.Classifier},
		"classifier in an encoder":  {classifier(base, 1000, true).under("encoder."), weights.Classifier},
		"mim in an encoder":         {pretrained(base).under("encoder."), weights.MIM},
		"tokenizer in a model":      {tokenizer(1, 512).under("model."), weights.Tokenizer},
		"tokenizer in an encoder":   {tokenizer(1, 512).under("encoder."), weights.Tokenizer},
		"segmenter in a backbone":   {segmenter(size{768, 12, 12, 16, 32}).under("backbone."), weights.Segmenter},
		"tokenizer":                 {tokenizer(1, 512), weights.Tokenizer},
		"tokenizer and its teacher": {selfTrained(tokenizer(3, 512)), weights.Tokenizer},
	} {
		if m := opened(t, shrunk(c.l)); m.Kind != c.kind {
			t.Errorf("%s is a %s", name, m.Kind)
		}
	}
}

// A file of no known model names what it holds, and a part of one what to open instead.
func TestUnknownModel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pth")
	archive := "}X\x01\x00\x00\x00aK\x01sX\x01\x00\x00\x00b}s." // {"a": 1, "b": {}}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.CreateHeader(&zip.FileHeader{Name: "x/data.pkl", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(archive)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(z.Close(), os.WriteFile(path, b.Bytes(), 0o666)); err != nil {
		t.Fatal(err)
	}
	if _, err := weights.Open(path); err == nil || !strings.Contains(err.Error(), `there are no tensors under names; the keys are "a", b`) {
		t.Errorf("%v", err)
	}
	for name, c := range map[string]struct{ file, tensor, want string }{
		"other tensors": {"x.safetensors", "conv1.weight", `the 1 tensors are called ["conv1.weight"]`},
		"a part":        {"model-00001-of-00002.safetensors", "patch_embed.proj.weight", "name their folder, or the file that ends in .index.json"},
	} {
		_, err := weights.Open(writeList(t, c.file, "", list{{Name: c.tensor, DType: state.F32, Shape: []int{0}}}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Names that transformers 5 has in memory are those of the files that it writes.
func TestTransformers5(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "transformers5.json"))
	if err != nil {
		t.Fatal(err)
	}
	var pairs map[string]string
	if err := json.Unmarshal(text, &pairs); err != nil || len(pairs) == 0 {
		t.Fatal(len(pairs), err)
	}
	var memory, file list
	for in, out := range pairs {
		shape := []int{len(out)%3 + 1}
		if strings.Contains(out, "query.weight") || strings.Contains(out, "key.weight") || strings.Contains(out, "value.weight") {
			shape = []int{2, 2}
		}
		memory.f32(in, shape...)
		file.f32(out, shape...)
	}
	fillRandomly(memory, 1)
	fillRandomly(file, 1)
	for _, prefix := range []string{"", "module.", "model."} {
		if diff := cmp.Diff(tensorsOf(t, file), names(opened(t, memory.under(prefix)))); diff != "" {
			t.Errorf("under %q: %s", prefix, diff)
		}
	}
}

// opened is the model of a file with the tensors.
func opened(t *testing.T, l list) *weights.Model {
	t.Helper()
	f, err := state.Open(traintest.Hollow(t, l))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	m, err := weights.FromFileWithoutConfig(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tensorsOf are the names of the model in a file with the tensors.
func tensorsOf(t *testing.T, l list) []string { return names(opened(t, l)) }

// names are kind, naming, and the names and shapes of the tensors.
func names(m *weights.Model) []string {
	out := []string{string(m.Kind), string(m.Naming)}
	for _, name := range m.Names() {
		x, _ := m.Tensor(name)
		out = append(out, fmt.Sprint(name, x.Shape))
	}
	return out
}

// A tensor of a type that cannot be read is refused by name if the model needs it, and else left out.
func TestUnreadableTensors(t *testing.T) {
	l := shrunk(classifier(base, 7, false))
	for i := range l {
		l[i].Name = strings.Replace(l[i].Name, "head.weight", "head.strange", 1)
	}
	for _, c := range []struct {
		name, want string
	}{{"head.weight", `tensor "head.weight": C64 cannot be read as float32`}, {"strange", ""}} {
		all := append(slices.Clone(l.without("head.strange")), state.Named{Name: c.name, DType: state.C64, Shape: []int{7, 64}, Raw: make([]byte, 7*64*8)})
		if c.name != "head.weight" {
			all = append(all, state.Named{Name: "head.weight", DType: state.F32, Shape: []int{7, 64}, Float32s: make([]float32, 7*64)})
		}
		m, err := weights.Open(writeList(t, "beitv2.safetensors", "", all))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		_, set, err := m.Build(cpu)
		if err == nil {
			set.Release()
		}
		if c.want == "" && (err != nil || !slices.Equal(m.LeftOut, []string{c.name})) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, left out %q", c.name, err, m.LeftOut)
		}
	}
}
