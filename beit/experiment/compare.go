package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// Comparison says which settings are compared, and on which images.
type Comparison struct {
	Data, EvalData config.Paths
	ValFraction    float64
	Out            string   // folder for runs and tables
	Preset         string   // of tokenizer and backbone
	Finetune       string   // preset of fine-tuning; empty: Preset, where fine-tuning has it
	Tables         []string // to make; empty: all of TableNames
	Depths         []int    // of the tokenizer's decoder
	Dims           []int    // of a code; empty: half, once and twice the preset's
	Codes          []int    // sizes of the codebook; empty: half, once and twice the preset's
	Heads          []int    // numbers of aggregation blocks
	Teachers       []string // hog, hog-ref, run folders, clip=FILE, dino=FILE
	Seeds          []int64  // each row is measured with all of them; empty: with that of Set or the preset alone
	FineTune       bool     // fine-tune the rows of decoder, dim, codes, aggregation and teacher too; those of network always are
	Set            []string // assignments "key=value" for every method that has the key, or "method:key=value" for one
}

// SettingError is a Comparison that makes no sense.
type SettingError struct{ error }

func wrong(format string, args ...any) error { return SettingError{fmt.Errorf(format, args...)} }

// Unwrap is the reason.
func (e SettingError) Unwrap() error { return e.error }

// Names in the folder of a comparison.
const (
	settingsFile = "compare.json"
	oldSettings  = "ablate.json" // its former name
	rowsFile     = "rows.json"
	MarkdownFile = "tables.md"
	CSVFile      = "rows.csv"
)

// compared are the methods that a comparison runs.
var compared = method.List{tokenizer.Method, pretrain.Method, finetune.Method}

// Compare makes the tables, row by row, and leaves them in c.Out. What is there is kept, and continued.
func Compare(ctx context.Context, e Env, c Comparison) ([]Row, error) {
	p, err := newPlan(ctx, e, &c)
	if err != nil {
		return nil, err
	}
	if err := c.claim(); err != nil {
		return nil, err
	}
	done, err := readDone[Row](filepath.Join(c.Out, rowsFile))
	if err != nil {
		return nil, err
	}
	var rows []Row
	for i, t := range p.trials {
		row, err := p.row(t, fmt.Sprintf("row %d of %d", i+1, len(p.trials)), done)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
		if err := writeTables(c.Out, rows); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// claim notes the settings that every row depends on, or compares them with those that the folder was begun with.
func (c *Comparison) claim() error {
	return claimFolder(c.Out, map[string]any{
		"data": c.Data, "eval_data": c.EvalData, "val_fraction": c.ValFraction, "preset": c.Preset, "finetune": c.Finetune, "set": c.Set,
	}, "--data, --eval-data, --val-fraction, --preset, --finetune and --set")
}

// claimFolder notes settings in a folder, or compares them with those that it was begun with. flags are those that change them.
func claimFolder(out string, settings map[string]any, flags string) error {
	mine, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	name := filepath.Join(out, settingsFile)
	found := name
	old, err := regular.ReadFile(found)
	if errors.Is(err, os.ErrNotExist) {
		found = filepath.Join(out, oldSettings)
		old, err = regular.ReadFile(found)
	}
	switch {
	case err == nil && string(old) != string(mine):
		return wrong("%s holds a comparison with other settings (see %s): choose another folder, or the same %s", out, found, flags)
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("compare: %w", err)
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	return state.WriteFileAtomic(name, func(w io.Writer) error {
		_, err := w.Write(mine)
		return err
	})
}

// readDone reads what is done, by its keys, from the file of a name.
func readDone[T any](name string) (map[string]T, error) {
	done := map[string]T{}
	text, err := regular.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return done, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &done)
	}
	if err == nil && done == nil {
		err = errors.New("holds nothing that was measured")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; remove it to measure the runs again", name, err)
	}
	return done, nil
}

// settings are the assignments of a method, those of Set that concern it last.
func (c *Comparison) settings(m *method.Method, own ...string) []string {
	list := []string{"data.path=" + c.Data.Assignment()}
	if c.EvalData != "" {
		list = append(list, "data.eval_path="+c.EvalData.Assignment())
	}
	if c.ValFraction != 0 {
		list = append(list, fmt.Sprintf("data.val_fraction=%g", c.ValFraction))
	}
	for _, s := range c.Set {
		if a := parse(s); a.of == m.Name || a.of == "" && hasKey(m, a.key) {
			list = append(list, a.text)
		}
	}
	return append(list, own...)
}

// assignment is one of Set.
type assignment struct {
	of   string // the method that it is for; empty: every one that has the key
	key  string
	text string // without the method
}

// parse takes an assignment apart. What is no method's name is left in the key, which no method has then.
func parse(s string) assignment {
	left, _, _ := strings.Cut(s, "=")
	if of, key, ok := strings.Cut(left, ":"); ok && slices.Contains(model.Methods().Names(), strings.TrimSpace(of)) {
		_, text, _ := strings.Cut(s, ":")
		return assignment{strings.TrimSpace(of), strings.TrimSpace(key), text}
	}
	return assignment{"", strings.TrimSpace(left), s}
}

// hasKey says whether a method's configuration has a key, by an old name too.
func hasKey(m *method.Method, key string) bool {
	return slices.Contains(m.Preset(m.Presets[0]).Keys(), config.CurrentKey(key))
}

// configure makes a configuration of a method. No file is opened.
func (c *Comparison) configure(m *method.Method, own ...string) (*config.Config, error) {
	return configure(m, c.Preset, c.settings(m, own...))
}

func configure(m *method.Method, preset string, set []string) (*config.Config, error) {
	cfg, err := config.Configure(m.Spec, preset, "", set, nil)
	if err != nil {
		return nil, SettingError{err}
	}
	return cfg, nil
}

// checkSet says which assignment none of the methods has.
func (c *Comparison) checkSet(methods method.List) error {
	for _, s := range c.Set {
		if !strings.Contains(s, "=") {
			return wrong("set %s: an assignment has the form key=value or method:key=value", s)
		}
		a := parse(s)
		known := slices.ContainsFunc(methods, func(m *method.Method) bool { return (a.of == "" || a.of == m.Name) && hasKey(m, a.key) })
		if !known {
			return wrong("set %s: neither %s has this key; 'beit config pretrain --keys' lists one method's", s, strings.Join(methods.Names(), " nor "))
		}
	}
	return nil
}

// oldNames are notes of old names of keys in Set.
func (c *Comparison) oldNames() (notes []string) {
	for _, s := range c.Set {
		key := parse(s).key
		note := fmt.Sprintf("%s is called %s now", key, config.CurrentKey(key))
		if config.CurrentKey(key) != key && !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	return notes
}
