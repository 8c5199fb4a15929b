package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/state"
)

// ablateCmd is "beit ablate".
type ablateCmd struct {
	Data        string   `placeholder:"DIR|TAR" help:"Labelled pictures: a folder or .tar file, with train/ and val/ inside or without; procedural:N draws N pictures."`
	EvalData    string   `placeholder:"DIR|TAR" help:"Validation pictures, where the data have no val/."`
	ValFraction float64  `placeholder:"F" help:"Part of the pictures set aside for validation, where there are none."`
	Out         string   `required:"" placeholder:"DIR" help:"Folder for runs and tables. Called again with the same flags, what is there is kept and continued."`
	Preset      string   `default:"small32" placeholder:"NAME" help:"Preset of tokenizer and backbone."`
	Finetune    string   `placeholder:"NAME" help:"Preset of fine-tuning (that of --preset)."`
	Table       []string `placeholder:"NAME,…" help:"Tables to make (all): decoder, dim, codes, aggregation, teacher, network."`
	Depths      []int    `default:"1,3" placeholder:"N,…" help:"Depths of the tokenizer's decoder."`
	Dims        []int    `placeholder:"D,…" help:"Dimensions of a code (half, once and twice the preset's)."`
	Codes       []int    `placeholder:"K,…" help:"Sizes of the codebook (half, once and twice the preset's)."`
	Heads       []int    `default:"0,1,2,3" placeholder:"N,…" help:"Numbers of aggregation blocks."`
	Teacher     []string `default:"hog,hog-ref" placeholder:"NAME|RUN,…" help:"Teachers: hog, hog-ref, run folders of backbones or teachers, or clip=FILE, dino=FILE."`
	Set         []string `sep:"none" placeholder:"[STAGE:]KEY=VALUE" help:"Assignment for every stage that has the key, or for one: pretrain:train.epochs=50; may be repeated."`
	JSON        bool     `name:"json" help:"Print the rows as JSON."`
}

// Names in the folder of an ablation.
const (
	ablateSettings = "ablate.json"
	ablateResults  = "rows.json"
	ablateMarkdown = "tables.md"
	ablateCSV      = "rows.csv"
)

// Run makes the tables, row by row.
func (c *ablateCmd) Run(a *app) error {
	ab, err := c.plan(a)
	if err != nil {
		return err
	}
	if err := c.claim(); err != nil {
		return err
	}
	done, err := readAblation(c.Out)
	if err != nil {
		return err
	}
	var rows []ablated
	for i, t := range ab.trials {
		row, known := done[t.key()]
		if !known {
			fmt.Fprintf(a.errOut, "row %d of %d: %s, %s\n", i+1, len(ab.trials), t.Table, t.Setting)
			if row, err = ab.measure(t); err != nil {
				if errors.Is(err, train.ErrInterrupted) || a.ctx.Err() != nil {
					return fmt.Errorf("%w; what is done is in %s: the same command goes on", train.ErrInterrupted, c.Out)
				}
				return fmt.Errorf("%s, %s: %w", t.Table, t.Setting, err)
			}
			done[t.key()] = row
			if err := writeAblation(c.Out, done); err != nil {
				return err
			}
		}
		rows = append(rows, row)
		if err := writeTables(c.Out, rows); err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(a.out, rows)
	}
	if _, err := io.WriteString(a.out, markdown(rows)); err != nil {
		return err
	}
	fmt.Fprintf(a.errOut, "tables in %s and %s\n", filepath.Join(c.Out, ablateMarkdown), filepath.Join(c.Out, ablateCSV))
	return nil
}

// claim notes the settings that every row depends on, or compares them with those that the folder was begun with.
func (c *ablateCmd) claim() error {
	mine, err := json.MarshalIndent(map[string]any{
		"data": c.Data, "eval_data": c.EvalData, "val_fraction": c.ValFraction, "preset": c.Preset, "finetune": c.Finetune, "set": c.Set,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("ablate: %w", err)
	}
	name := filepath.Join(c.Out, ablateSettings)
	old, err := os.ReadFile(name)
	switch {
	case err == nil && string(old) != string(mine):
		return usagef("%s holds an ablation with other settings (see %s): choose another folder, or the same --data, --eval-data, --val-fraction, --preset, --finetune and --set", c.Out, name)
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("ablate: %w", err)
	}
	if err := os.MkdirAll(c.Out, 0o777); err != nil {
		return fmt.Errorf("ablate: %w", err)
	}
	return state.WriteFileAtomic(name, func(w io.Writer) error {
		_, err := w.Write(mine)
		return err
	})
}

// readAblation reads the rows that are done, by their keys.
func readAblation(dir string) (map[string]ablated, error) {
	done := map[string]ablated{}
	name := filepath.Join(dir, ablateResults)
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return done, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &done)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; remove it to measure the runs again", name, err)
	}
	return done, nil
}

func writeAblation(dir string, done map[string]ablated) error {
	return state.WriteFileAtomic(filepath.Join(dir, ablateResults), func(w io.Writer) error { return printJSON(w, done) })
}

// settings are the assignments of a stage, those of --set that concern it last.
func (c *ablateCmd) settings(stage train.Stage, own ...string) []string {
	list := []string{"data.path=" + c.Data}
	if c.EvalData != "" {
		list = append(list, "data.eval_path="+c.EvalData)
	}
	if c.ValFraction != 0 {
		list = append(list, fmt.Sprintf("data.val_fraction=%g", c.ValFraction))
	}
	for _, s := range c.Set {
		if of, rest, ok := strings.Cut(s, ":"); ok && train.Stage(of) == stage {
			list = append(list, rest)
		} else if key, _, _ := strings.Cut(s, "="); slices.Contains(train.Keys(stage), strings.TrimSpace(key)) {
			list = append(list, s)
		}
	}
	return append(list, own...)
}

// checkSet says which assignment no stage has.
func (c *ablateCmd) checkSet() error {
	stages := []train.Stage{train.Tokenizer, train.Pretrain, train.Finetune}
	for _, s := range c.Set {
		key, _, ok := strings.Cut(s, "=")
		if !ok {
			return usagef("--set %s: an assignment has the form key=value or stage:key=value", s)
		}
		of, rest, only := strings.Cut(key, ":")
		known := false
		for _, stage := range stages {
			if only {
				known = known || train.Stage(of) == stage && slices.Contains(train.Keys(stage), rest)
			} else {
				known = known || slices.Contains(train.Keys(stage), key)
			}
		}
		if !known {
			return usagef("--set %s: neither tokenizer, pretrain nor finetune has this key; 'beit config pretrain --keys' lists one stage's", s)
		}
	}
	return nil
}
