package experiment

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// Entries are ways to train a classifier or a backbone at one cost, to be laid side by side.
type Entries struct {
	Preset string   `toml:"preset" json:"preset"` // of every method; empty: config.DefaultPreset
	FLOPs  *float64 `toml:"flops" json:"flops,omitempty"`
	Steps  *int64   `toml:"steps" json:"steps,omitempty"`
	Images *int64   `toml:"images" json:"images,omitempty"`
	Seeds  []int64  `toml:"seeds" json:"seeds"`
	Set    []string `toml:"set" json:"set"` // as Comparison.Set
	List   []Entry  `toml:"entry" json:"-"`
}

// Entry is a chain of runs: a tokenizer, a backbone that learns from it, a classifier that starts from what is before. A nil list of assignments
// means that there is no such run.
type Entry struct {
	Name         string             `toml:"name" json:"name"`
	Tokenizer    *[]string          `toml:"tokenizer" json:"tokenizer"`
	TokenizerRun string             `toml:"tokenizer_run" json:"tokenizer_run"` // a finished tokenizer, in place of the entry's own
	Pretrain     *[]string          `toml:"pretrain" json:"pretrain"`
	Finetune     *[]string          `toml:"finetune" json:"finetune"`
	Init         string             `toml:"init" json:"init"`     // startTokenizer, or empty: as the preset says
	Shares       map[string]float64 `toml:"shares" json:"shares"` // of the cost, by method, for all runs but the last
	Sweep        []string           `toml:"sweep" json:"sweep"`   // assignments, one of which is chosen on training images that are set aside
}

// startTokenizer is the value of Entry.Init by which pretraining starts from the tokenizer.
const startTokenizer = "tokenizer"

// longestName is how many characters the name of an entry may have.
const longestName = 80

// ReadEntries reads a TOML file of entries and checks what can be told from it alone.
func ReadEntries(name string) (*Entries, error) {
	text, err := regular.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("entries: %w", err)
	}
	var e Entries
	meta, err := toml.Decode(string(text), &e)
	if err != nil {
		return nil, wrong("%s: %w", name, err)
	}
	for _, key := range meta.Undecoded() {
		return nil, wrong("%s: unknown key %s; %s", name, key, config.Hint(key.String(), entryKeys, "%s", "there are "+strings.Join(entryKeys, ", ")))
	}
	if err := e.check(); err != nil {
		return nil, wrong("%s: %w", name, err)
	}
	return &e, nil
}

// entryKeys are those of the file.
var entryKeys = []string{
	"preset", "flops", "steps", "images", "seeds", "set", "entry.name", "entry.tokenizer", "entry.tokenizer_run", "entry.pretrain", "entry.finetune",
	"entry.init", "entry.shares", "entry.sweep",
}

// check says what is wrong with the file, apart from the assignments.
func (e *Entries) check() error {
	if len(e.List) == 0 {
		return errors.New("there is no entry: begin one with [[entry]]")
	}
	if err := e.checkBudget(); err != nil {
		return err
	}
	if len(e.Seeds) == 0 {
		return errors.New("seeds: name at least one, such as seeds = [1, 2, 3]")
	}
	if !distinct(e.Seeds) {
		return fmt.Errorf("seeds = %d: must be whole numbers that are not negative, each once", e.Seeds)
	}
	folders := map[string]string{}
	for i, entry := range e.List {
		if err := entry.checkName(); err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
		if other, ok := folders[entry.folder()]; ok {
			return fmt.Errorf("entry %q: has the name of another, or one too like it: %q", entry.Name, other)
		}
		folders[entry.folder()] = entry.Name
		if err := entry.check(); err != nil {
			return fmt.Errorf("entry %q: %w", entry.Name, err)
		}
	}
	return nil
}

func (e *Entries) checkBudget() error {
	given := 0
	for _, is := range []bool{e.FLOPs != nil, e.Steps != nil, e.Images != nil} {
		if is {
			given++
		}
	}
	b := e.budget()
	switch {
	case given != 1:
		return errors.New("say what an entry may take by one of flops, steps and images")
	case !(b.amount > 0) || math.IsInf(b.amount, 0):
		return fmt.Errorf("%s = %g: must be positive", b.unit, b.amount)
	}
	return nil
}

func (e Entry) checkName() error {
	if e.Name == "" || utf8.RuneCountInString(e.Name) > longestName || strings.ContainsAny(e.Name, "\n\r") {
		return fmt.Errorf("name = %q: must be a line of 1 to %d characters", e.Name, longestName)
	}
	return nil
}

// check says whether the runs of an entry make a chain.
func (e Entry) check() error {
	own := e.Tokenizer != nil
	switch {
	case e.Tokenizer == nil && e.Pretrain == nil && e.Finetune == nil:
		return errors.New("has no run: give it tokenizer, pretrain or finetune, such as finetune = []")
	case own && e.TokenizerRun != "":
		return errors.New("tokenizer_run: the entry has a tokenizer of its own")
	case e.TokenizerRun != "" && e.Pretrain == nil:
		return errors.New("tokenizer_run: the entry has no pretrain, which would learn from it")
	case e.Pretrain != nil && !own && e.TokenizerRun == "":
		return errors.New(`pretrain: needs a tokenizer: give the entry tokenizer = [], or tokenizer_run = "DIR"`)
	case e.Init != "" && e.Init != startTokenizer:
		return fmt.Errorf("init = %q: must be %q", e.Init, startTokenizer)
	case e.Init != "" && e.Pretrain == nil:
		return errors.New("init: the entry has no pretrain, which would start from the tokenizer")
	case len(e.Sweep) > 0 && e.Finetune == nil:
		return errors.New("sweep: the entry has no finetune, by whose accuracy an alternative is chosen")
	}
	for i, s := range e.Sweep {
		if slices.Contains(e.Sweep[:i], s) {
			return fmt.Errorf("sweep: %s is there twice", s)
		}
	}
	return e.checkShares()
}

// checkShares wants a share for every run but the last.
func (e Entry) checkShares() error {
	list := e.methods()
	names := method.List(list).Names()
	last := len(names) - 1
	sum := 0.0
	for name, share := range e.Shares {
		switch {
		case !slices.Contains(compared.Names(), name):
			return fmt.Errorf("unknown key shares.%s; %s", name, config.Hint(name, compared.Names(), "shares.%s", "there are "+strings.Join(compared.Names(), ", ")))
		case !slices.Contains(names, name):
			return fmt.Errorf("shares.%s: the entry has no such run", name)
		case name == names[last]:
			return fmt.Errorf("shares.%s: leave it away: the last run gets what the others leave", name)
		case !(share > 0):
			return fmt.Errorf("shares.%s = %g: must be positive", name, share)
		}
		sum += share
	}
	for _, name := range names[:last] {
		if e.Shares[name] == 0 {
			return fmt.Errorf("shares.%s: say what part of the cost this run gets, such as shares = { %s = 0.2 }", name, name)
		}
	}
	if sum >= 1 {
		return fmt.Errorf("shares: are %g together, which leaves nothing to %s", sum, names[last])
	}
	return nil
}

// methods are those of the entry's runs, in their order.
func (e Entry) methods() (list []*method.Method) {
	for _, m := range compared {
		if e.own(m) != nil {
			list = append(list, m)
		}
	}
	return list
}

// own are the assignments of the entry's run of a method; nil: it has none.
func (e Entry) own(m *method.Method) *[]string {
	switch m {
	case tokenizer.Method:
		return e.Tokenizer
	case pretrain.Method:
		return e.Pretrain
	case finetune.Method:
		return e.Finetune
	}
	return nil
}

// alternatives are what the entry is tried with: nothing, where it has no sweep.
func (e Entry) alternatives() []string {
	if len(e.Sweep) == 0 {
		return []string{""}
	}
	return e.Sweep
}

// folder names the folder of the entry's runs: its name in small letters, and a number where other characters are left out.
func (e Entry) folder() string {
	strange := false
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r != ' ' && r != '-':
			strange = true
		}
		return '-'
	}, e.Name)
	if strange {
		name += "-" + hashed(e.Name)
	}
	return name
}

// budget is what each entry may take, with one seed.
type budget struct {
	unit   string
	amount float64
}

// Units of costs.
const (
	unitFLOPs  = "flops"
	unitSteps  = "steps"
	unitImages = "images"
)

func (e *Entries) budget() budget {
	switch {
	case e.Steps != nil:
		return budget{unitSteps, float64(*e.Steps)}
	case e.Images != nil:
		return budget{unitImages, float64(*e.Images)}
	case e.FLOPs != nil:
		return budget{unitFLOPs, *e.FLOPs}
	}
	return budget{}
}

// preset is that of every method.
func (e *Entries) preset() string { return cmp.Or(e.Preset, config.DefaultPreset) }
