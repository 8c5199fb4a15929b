package experiment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// entriesText is a file of two entries; what stands in place of a line decides what is wrong.
const entriesText = `preset = "small32"
flops = 3e13
seeds = [1, 2]
set = []
[[entry]]
name = "from scratch"
finetune = []
sweep = ["finetune:train.lr=1e-3", "train.lr=2e-3"]
[[entry]]
name = "BEiT v2"
tokenizer = []
pretrain = []
finetune = []
init = "tokenizer"
shares = { tokenizer = 0.2, pretrain = 0.3 }
`

func entriesFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "entries.toml")
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReadEntries(t *testing.T) {
	e, err := ReadEntries(entriesFile(t, entriesText))
	if err != nil {
		t.Fatal(err)
	}
	if b := e.budget(); len(e.List) != 2 || b != (budget{unitFLOPs, 3e13}) || e.List[0].Pretrain != nil || e.List[1].Pretrain == nil || len(e.List[0].methods()) != 1 {
		t.Errorf("%+v", e)
	}
	if got := e.List[1].folder() + " " + (Entry{Name: "50 % größer"}).folder(); !strings.HasPrefix(got, "beit-v2 50---gr--er-") {
		t.Errorf("folders %s", got)
	}
	for _, c := range []struct{ old, new, want string }{
		{entriesText, "", "there is no entry"},
		{"flops = 3e13", "flops = 3e13 x", "line 2"},
		{"flops = 3e13", "flop = 3e13", "unknown key flop; did you mean flops?"},
		{"finetune = []\nsweep", "finetun = []\nsweep", "did you mean entry.finetune?"},
		{"[[entry]]\nname = \"BEiT v2\"", "[shares]\nx = 1\n[[entry]]\nname = \"BEiT v2\"", "unknown key shares"},
		{"flops = 3e13", "", "by one of flops, steps and images"},
		{"flops = 3e13", "flops = 3e13\nsteps = 5", "by one of flops, steps and images"},
		{"flops = 3e13", "flops = -1.0", "flops = -1: must be positive"},
		{"flops = 3e13", "flops = inf", "must be positive"},
		{"flops = 3e13", "steps = 0", "steps = 0: must be positive"},
		{"flops = 3e13", "images = 1.5", "images"},
		{"flops = 3e13", `flops = "much"`, "flops"},
		{"[1, 2]", "[]", "seeds: name at least one"},
		{"[1, 2]", "[1, -2]", "not negative"},
		{"[1, 2]", "[1, 1]", "each once"},
		{`"BEiT v2"`, `"From-scratch"`, `"From-scratch": has the name of another`},
		{`"BEiT v2"`, `""`, "entry 2: name"},
		{`"BEiT v2"`, `"a\nb"`, "entry 2: name"},
		{"tokenizer = []\n", "", "needs a tokenizer"},
		{"tokenizer = []\n", "tokenizer = []\ntokenizer_run = \"x\"\n", "a tokenizer of its own"},
		{"finetune = []\nsweep", "tokenizer_run = \"x\"\nfinetune = []\nsweep", "which would learn from it"},
		{"finetune = []\nsweep = [\"finetune:train.lr=1e-3\", \"train.lr=2e-3\"]", "", "has no run"},
		{"finetune = []\nsweep", "tokenizer = []\nsweep", "by whose accuracy"},
		{`"train.lr=2e-3"`, `"finetune:train.lr=1e-3"`, "there twice"},
		{`init = "tokenizer"`, `init = "tokeniser"`, `must be "tokenizer"`},
		{"finetune = []\nsweep", "init = \"tokenizer\"\nfinetune = []\nsweep", "would start from the tokenizer"},
		{"tokenizer = 0.2, ", "", "shares.tokenizer: say what part"},
		{"tokenizer = 0.2", "tokenizer = 0.7", "shares: are 1 together"},
		{"tokenizer = 0.2", "tokenizer = -0.2", "shares.tokenizer = -0.2: must be positive"},
		{"tokenizer = 0.2", "tokenizer = nan", "must be positive"},
		{"tokenizer = 0.2", "tokeniser = 0.2", "unknown key shares.tokeniser; did you mean shares.tokenizer?"},
		{"pretrain = 0.3", "pretrain = 0.3, finetune = 0.1", "the last run gets what the others leave"},
		{"finetune = []\nsweep", "finetune = []\nshares = { pretrain = 0.1 }\nsweep", "has no such run"},
	} {
		text := strings.Replace(entriesText, c.old, c.new, 1)
		if text == entriesText {
			t.Fatalf("%q changes nothing", c.old)
		}
		if _, err := ReadEntries(entriesFile(t, text)); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q in place of %q: error %v, want %q", c.new, c.old, err, c.want)
		}
	}
	if _, err := ReadEntries(filepath.Join(t.TempDir(), "none.toml")); err == nil || !strings.Contains(err.Error(), "none.toml") {
		t.Errorf("no file: error %v", err)
	}
}

// tinyEntries is the same with networks that train in a moment, and other lines at the top and in the second entry.
func tinyEntries(t *testing.T, top, first, second string) *Entries {
	t.Helper()
	set := []string{`"pretrain.model.aggregation.layer=1"`}
	for _, s := range tiny {
		if !strings.HasPrefix(s, "train.epochs") && !strings.HasPrefix(s, "pretrain.model.early_layer") {
			set = append(set, `"`+s+`"`)
		}
	}
	scratch := `"finetune.layer_decay=1", "finetune.model.image_size=16", "finetune.model.width=24", "finetune.model.depth=2"`
	e, err := ReadEntries(entriesFile(t, "set = ["+strings.Join(set, ", ")+"]\n"+top+"\n[[entry]]\nname = \"from scratch\"\nfinetune = ["+scratch+"]\n"+first+
		"\n[[entry]]\nname = \"BEiT v2\"\n"+second))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const wholeChain = "tokenizer = []\npretrain = []\nfinetune = []\nshares = { tokenizer = 0.2, pretrain = 0.3 }\n"

// ownEnv has a device of its own, whose operations nobody else counts.
func ownEnv() Env { return Env{Device: tensor.NewDevice(tensor.CPU().Backend())} }

// What cannot be trained is refused before anything is.
func TestLineupRefuses(t *testing.T) {
	const top = "steps = 40\nseeds = [1]"
	for _, c := range []struct{ top, first, second, want string }{
		{top, "", strings.Replace(wholeChain, "finetune = []", `finetune = ["train.lrr=1"]`, 1), `entry "BEiT v2": finetune: unknown key train.lrr`},
		{top, "", strings.Replace(wholeChain, "finetune = []", `finetune = ["train.lr=-1"]`, 1), "train.lr = -1"},
		{top, "", strings.Replace(wholeChain, "finetune = []", `finetune = ["train.epochs=3"]`, 1), "chooses train.epochs itself"},
		{top, "", strings.Replace(wholeChain, "finetune = []", `finetune = ["init_from=x"]`, 1), "chooses init_from itself"},
		{top, "", strings.Replace(wholeChain, "pretrain = []", `pretrain = ["data.eval.limit=3"]`, 1), "chooses data.eval.limit itself"},
		{top, "", strings.Replace(wholeChain, "pretrain = []", `pretrain = ["seed=3"]`, 1), "chooses seed itself"},
		{top, "", strings.Replace(wholeChain, "pretrain = []", `pretrain = ["pretrain.model.vit.patch_size=8", "pretrain.mask.count=2"]`, 1), "the tokenizer has images of 16 in 4 x 4 patches"},
		{top, "", strings.Replace(wholeChain, "finetune = []", `finetune = ["finetune.model.width=48"]`, 1), "finetune.model.width = 48: the network that the run starts from has 24"},
		{top, "", "init = \"tokenizer\"\n" + wholeChain, "pretrain.model.vit.depth = 2: the network that the run starts from has 1"},
		{top, "", "init = \"tokenizer\"\n" + strings.Replace(wholeChain, "pretrain = []", `pretrain = ["pretrain.model.vit.depth=1", "pretrain.model.vit.abs_pos=false"]`, 1), "abs_pos = false: the network that the run starts from has true"},
		{top, "", strings.Replace(wholeChain, "pretrain = []", `pretrain = ["pretrain.target=features", "pretrain.feature_loss=all+cls"]`, 1), "teacher hog has no class token"},
		{top, "", strings.Replace(wholeChain, "pretrain = []", `pretrain = ["pretrain.target=pixel-kmeans", "pretrain.from_tokenizer=false", "pretrain.visible=0", "pretrain.model.aggregation.depth=0"]`, 1), "does not learn from a tokenizer"},
		{top, `sweep = ["finetune:train.lr=1e-3", "pretrain:train.lr=1e-3"]`, wholeChain, "no run of the entry has this key"},
		{top, `sweep = ["finetune:train.lr=1e-3", "finetune:train.lr"]`, wholeChain, "no run of the entry has this key"},
		{top, `sweep = ["finetune:train.lr=1e-3", "finetune:train.lr=fast"]`, wholeChain, "train.lr=fast"},
		{top, `sweep = ["finetune:train.lr=1e-3", "seed=4"]`, wholeChain, "chooses seed itself"},
		{top, "", "tokenizer_run = \"nowhere\"\npretrain = []\n", "nowhere"},
		{top, "", `finetune = ["init_from=nowhere"]`, "nowhere"},
		{top, "", `tokenizer = ["tokenizer.teacher=run", "tokenizer.teacher_run=nowhere"]`, "nowhere"},
		{"steps = 4\nseeds = [1]", "", wholeChain, "tokenizer: 0.8 steps pay for no step of 16 images"},
		{"images = 30\nseeds = [1]", "", wholeChain, "pay for no step"},
		{"preset = \"small33\"\n" + top, "", wholeChain, "small33"},
	} {
		_, err := newLineup(t.Context(), ownEnv(), &Comparison{Data: "procedural:80"}, tinyEntries(t, c.top, c.first, c.second))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n%s\n%s: error %v, want %q", c.top, c.first, c.second, err, c.want)
		}
	}
	e := tinyEntries(t, top, "", wholeChain)
	for _, c := range []struct{ set, want string }{
		{"train.lrr=1", "neither"}, {"train.epochs=1", "chooses train.epochs"}, {"pretrain:train.time_budget=1s", "chooses train.time_budget"},
		{"data.val_from_train=true", "chooses data.val_from_train"}, {"init_from=x", "chooses init_from"}, {"finetune:init_key=x", "chooses init_key"}, {"train.lr", "key=value"},
	} {
		if _, err := newLineup(t.Context(), ownEnv(), &Comparison{Data: "procedural:80", Set: []string{c.set}}, e); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("set %s: error %v, want %q", c.set, err, c.want)
		}
	}
	if _, err := newLineup(t.Context(), ownEnv(), &Comparison{}, e); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("no images: error %v", err)
	}
}
