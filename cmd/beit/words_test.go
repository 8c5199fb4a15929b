package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/alecthomas/kong"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
)

// This file is the stage "words" of .ci/run: old names and words that must not come back. CONTRIBUTING.md says what to write in their place.
// Old names are only in the readers of old files (beit/config/old.go, beit/run/oldkeys.go), in hidden commands and flags, and in aliases.

// formerKeys are old keys of configurations and what they are read as.
var formerKeys = map[string]string{
	"stage":                        "method",
	"data.labelled":                "data.label_fraction",
	"data.unreadable":              "data.max_unreadable",
	"data.upright":                 "data.exif_transpose",
	"train.accum":                  "train.accumulation_steps",
	"train.open_warmup":            "train.warmup_offset",
	"pretrain.model.early_layer":   "pretrain.model.aggregation.layer",
	"pretrain.model.head_layers":   "pretrain.model.aggregation.depth",
	"pretrain.model.shared_head":   "pretrain.model.aggregation.shared_head",
	"teacher.hold_epochs":          "dino.freeze_last_layer_epochs",
	"teacher.temp_epochs":          "dino.warmup_teacher_temp_epochs",
	"teacher.model.vit.image_size": "dino.model.vit.image_size", // as all keys of that section
}

// formerMetrics are old keys of records and what they are read as.
var formerMetrics = map[string]string{
	"loss_1": "loss_mim", "loss_2": "loss_aggregation", "mlm_acc_1": "acc_mim", "mlm_acc_2": "acc_aggregation",
	"loss_swap": "loss_cls_shuffled", "copy_acc": "acc_nearest_patch", "rec_loss": "loss_reconstruction", "quant_loss": "loss_commitment",
	"balanced": "macro_accuracy", "data_wait": "data_time",
}

// formerFlags are old flags and commands. They are hidden, or aliases.
var formerFlags = []string{"plan", "accum", "ablate", "teacher train", "labelled", "upright"}

// formerNames are words within exported names, as they are spelled there: "Picture" is found in PictureSize and SkipPicture.
var formerNames = []string{
	"Ablate", "Ablation", "Ablations", "Accum", "Adopt", "Balanced", "Believable", "Forget", "Grey", "Harmless", "Heeds", "Held", "Judge",
	"Labelled", "Lend", "Lender", "Marks", "Picture", "Pictures", "Recall", "Solarise", "Stage", "Stages", "Standard", "Upright",
}

// otherMeanings are exported names, by their folder, in which such a word has another meaning.
var otherMeanings = map[string]string{
	"tensor.Held":                     "bytes that a device holds",
	"tensor/vulkan/internal/mem.Held": "bytes that are allocated",
	"tensor/vulkan/internal/vk.MaxPerStageDescriptorStorageBuffers": "Vulkan's name",
	"tensor/vulkan/internal/vk.SubgroupStages":                      "Vulkan's word for kinds of shaders",
	"cmd/beit.Ablate": "the hidden command",
}

// formerProse finds old words in the pages for users, CONTRIBUTING.md, help texts and labels.
var formerProse = []*regexp.Regexp{
	word(`pictures?`), word(`from nothing`), word(`drawn (pictures|images|classes)`), word(`main head`), word(`second head`), word(`entropy of the codes`),
	word(`balanced accuracy`), word(`mean over classes`), word(`ablat\w*`), word(`labelled (part|share|pictures|images)`), word(`upright`),
	word(`data[ _]wait`), word(`mlm\w*`), word(`products? of matrices`), word(`matrix products?`), word(`multiplications? of matrices`),
	word(`nearest visible patch`), word(`class tokens exchanged`), word(`teacher train`), word(`finetune --eval`), word(`vote of`),
	word(`heeds?`), word(`believable`), word(`lenders?`), regexp.MustCompile(`--(plan|accum|upright|labelled)\b`),
}

func word(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)\b` + pattern + `\b`) }

// words collects what is found.
type words struct{ *testing.T }

// prose looks for old words in text, whose place is named.
func (w words) prose(place, text string) {
	w.Helper()
	for _, p := range formerProse {
		for _, found := range p.FindAllString(text, -1) {
			w.Errorf("%s: %q", place, found)
		}
	}
}

func TestWords(t *testing.T) {
	t.Run("keys", wordsOfKeys)
	t.Run("metrics", wordsOfMetrics)
	t.Run("command line", wordsOfCommands)
	t.Run("exported names", wordsOfNames)
	t.Run("pages", wordsOfPages)
}

// Keys of configurations and their help texts. What is old must still be read, as its new name.
func wordsOfKeys(t *testing.T) {
	all := map[string]bool{}
	for _, m := range model.Methods() {
		for _, preset := range m.Presets {
			for _, e := range m.Preset(preset).Explain() {
				if !all[e.Key] {
					all[e.Key] = true
					words{t}.prose("help of key "+e.Key, e.Help)
				}
			}
		}
	}
	if len(all) < 100 {
		t.Fatalf("the methods have %d keys: are these all?", len(all))
	}
	for key := range all {
		if _, old := formerKeys[key]; old || config.CurrentKey(key) != key {
			t.Errorf("key %s is an old name", key)
		}
	}
	for old, now := range formerKeys {
		if got := config.CurrentKey(old); got != now {
			t.Errorf("old key %s is read as %s, not as %s", old, got, now)
		}
		if !all[now] {
			t.Errorf("old key %s stands for %s, which is no key", old, now)
		}
	}
}

// Keys of metrics, their labels and the titles of their panels.
func wordsOfMetrics(t *testing.T) {
	all := map[string]bool{}
	for _, m := range model.Methods() {
		for _, metric := range m.AllMetrics() {
			all[metric.Key] = true
			if _, old := formerMetrics[metric.Key]; old || run.CurrentMetric(metric.Key) != metric.Key {
				t.Errorf("metric %s of method %s is an old name", metric.Key, m.Name)
			}
			words{t}.prose("label of metric "+metric.Key, metric.Label)
			words{t}.prose("panel of metric "+metric.Key, metric.Panel.Title)
		}
	}
	for old, now := range formerMetrics {
		if got := run.CurrentMetric(old); got != now {
			t.Errorf("old metric %s is read as %s, not as %s", old, got, now)
		}
	}
	for _, key := range []string{"loss_mim", "acc_mim", "lr"} {
		if !all[key] {
			t.Errorf("no method has metric %s: are these all?", key)
		}
	}
}

// Commands, flags and help texts that are shown.
func wordsOfCommands(t *testing.T) {
	parser, err := kong.New(&cli{}, kong.Name("beit"), helpTexts, kong.Writers(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	var walk func(n *kong.Node, path string)
	walk = func(n *kong.Node, path string) {
		if n.Hidden {
			return
		}
		words{t}.prose("help of "+path, n.Help+" "+n.Detail)
		for _, f := range n.Flags {
			if f.Hidden {
				continue
			}
			count++
			if slices.Contains(formerFlags, f.Name) {
				t.Errorf("%s: flag --%s is an old name", path, f.Name)
			}
			words{t}.prose(path+" --"+f.Name, f.Help+" "+f.PlaceHolder)
		}
		for _, a := range n.Positional {
			words{t}.prose(path+" <"+a.Name+">", a.Name+" "+a.Help)
		}
		for _, c := range n.Children {
			below := strings.TrimSpace(strings.TrimPrefix(path, "beit") + " " + c.Name)
			if slices.Contains(formerFlags, below) && !c.Hidden {
				t.Errorf("command %s is an old name", below)
			}
			walk(c, "beit "+below)
		}
	}
	walk(parser.Model.Node, "beit")
	if count < 50 {
		t.Errorf("%d flags were seen: are these all?", count)
	}
}

// Exported names of all packages of the module: types, functions, methods, fields, constants, variables.
func wordsOfNames(t *testing.T) {
	root, files, met := os.DirFS("../.."), 0, map[string]bool{}
	err := fs.WalkDir(root, ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if name := d.Name(); name != "." && strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || file == "bench/compare" {
				return fs.SkipDir
			}
			return nil
		case path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		files++
		text, err := fs.ReadFile(root, file)
		if err != nil {
			return err
		}
		positions := token.NewFileSet()
		parsed, err := parser.ParseFile(positions, file, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, name := range exported(parsed) {
			for _, part := range camel(name.Name) {
				place := path.Dir(file) + "." + name.Name
				met[place] = true
				if slices.Contains(formerNames, part) && otherMeanings[place] == "" {
					t.Errorf("%s: %s has the old word %s", positions.Position(name.Pos()), name.Name, part)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("%d files were read: is this the whole module?", files)
	}
	for place := range otherMeanings {
		if !met[place] {
			t.Errorf("there is no %s any more: it needs no exception", place)
		}
	}
}

// exported lists the exported names that a file declares.
func exported(file *ast.File) (list []*ast.Ident) {
	add := func(names ...*ast.Ident) {
		for _, n := range names {
			if n.IsExported() {
				list = append(list, n)
			}
		}
	}
	fields := func(f *ast.FieldList) {
		for _, field := range f.List {
			add(field.Names...)
		}
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			add(d.Name)
		case *ast.GenDecl:
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.TypeSpec:
					add(n.Name)
				case *ast.ValueSpec:
					add(n.Names...)
					return false
				case *ast.StructType:
					fields(n.Fields)
				case *ast.InterfaceType:
					fields(n.Methods)
				case *ast.FuncType:
					return false
				}
				return true
			})
		}
	}
	return list
}

// camel splits a name at its capital letters.
func camel(name string) (list []string) {
	start := 0
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			list, start = append(list, name[start:i]), i
		}
	}
	return append(list, name[start:])
}

// The pages that people read first. The table of words in CONTRIBUTING.md has old ones on purpose.
func wordsOfPages(t *testing.T) {
	for _, file := range append([]string{"CONTRIBUTING.md"}, pages...) {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		skip := false
		for i, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(line, "## ") {
				skip = line == "## Words"
			}
			if !skip {
				words{t}.prose(fmt.Sprintf("%s:%d", file, i+1), line)
			}
		}
	}
}

// The checker itself: it finds what it looks for.
func TestOldWordsAreFound(t *testing.T) {
	for text, want := range map[string]bool{
		"All pictures of a set": true, "Two epochs from nothing": true, "--plan says how much": true, "`beit ablate`": true,
		"images, and nothing from them": false, "--planes": false, "oblate": false,
	} {
		got := slices.ContainsFunc(formerProse, func(p *regexp.Regexp) bool { return p.MatchString(text) })
		if got != want {
			t.Errorf("%q: found %t, want %t", text, got, want)
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x
type T struct { SkipPicture, size int; Inner struct { Held bool } }
type I interface { Heeds(Picture int) }
var Stage, quiet = 1, 2
func (t T) Forget(Harmless int) { var Marks int }`, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range exported(file) {
		got = append(got, n.Name)
	}
	if want := "T SkipPicture Inner Held I Heeds Stage Forget"; strings.Join(got, " ") != want {
		t.Errorf("exported names are %v, want %s", got, want)
	}
}
