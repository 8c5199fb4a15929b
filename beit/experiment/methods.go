package experiment

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/probe"
)

// Methods says which ways to pretrain are laid side by side at equal cost, and what their backbones are measured by.
type Methods struct {
	Names     []string     // of model.Pretrainings
	Lengths   []float64    // counted operations that a pretraining may take, that of its tokenizer included; empty: those of the first way's preset
	Fractions []float64    // of the labels by which backbones are fine-tuned
	Masks     config.Paths // images with masks, for the mIoU of a linear head on the frozen backbone; empty: none
	EvalMasks config.Paths // those for validation, where Masks has none
}

// tokenizerShare is the part of a length that goes to the tokenizer, of ways that learn from one.
const tokenizerShare = 0.2

// CompareMethods pretrains by each way, with each length and seed, measures the backbones, and leaves a table in c.Out. Of c it uses images,
// folder, presets, seeds and Set. What is there is kept, and continued; ways, lengths, seeds and fractions may be added.
func CompareMethods(ctx context.Context, e Env, c Comparison, m Methods) (*MethodTable, error) {
	p, err := newContest(ctx, e, &c, m)
	if err != nil {
		return nil, err
	}
	if err := p.claim(); err != nil {
		return nil, err
	}
	name := filepath.Join(c.Out, measuredFile)
	done, err := readDone[Figured](name)
	if err != nil {
		return nil, err
	}
	t := &MethodTable{Seeds: c.Seeds, Columns: p.columns(), Notes: p.notes()}
	for i, pair := range p.pairs() {
		row := MethodRow{Method: pair.way.Name, Title: pair.way.Title, Length: pair.length}
		for _, seed := range c.Seeds {
			key := fmt.Sprintf("%s, %s, seed %d", pair.way.Name, lengthText(pair.length), seed)
			figures, known := done[key]
			if !known || !figures.has(t.Columns) {
				e.reporter().Notice(fmt.Sprintf("row %d of %d: %s", i+1, len(p.pairs()), key))
				now, err := p.measure(pair, seed)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", key, err)
				}
				figures = figures.with(now)
				done[key] = figures
				if err := writeJSON(name, done); err != nil {
					return nil, err
				}
			}
			row.Seeds = append(row.Seeds, figures)
		}
		row.summarize(t.Columns)
		t.Rows = append(t.Rows, row)
		if err := writeBoth(c.Out, t.Markdown(), t.csv()); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// PlanMethods says what CompareMethods would train, with the operations of each run as they are counted beforehand. It trains and writes nothing.
func PlanMethods(ctx context.Context, e Env, c Comparison, m Methods) (*MethodPlan, error) {
	p, err := newContest(ctx, e, &c, m)
	if err != nil {
		return nil, err
	}
	return p.plan(), nil
}

// claim notes the settings that every figure depends on, or compares them with those that the folder was begun with.
func (p *contest) claim() error {
	c := p.c
	return claimFolder(c.Out, map[string]any{
		"data": c.Data, "eval_data": c.EvalData, "val_fraction": c.ValFraction, "preset": c.Preset, "finetune": c.Finetune, "set": c.Set,
		"masks": p.m.Masks, "eval_masks": p.m.EvalMasks, "image_seed": p.imageSeed(), "tokenizer_share": tokenizerShare,
	}, "--data, --eval-data, --val-fraction, --masks, --eval-masks, --preset, --finetune and --set, and the same first seed")
}

// Keys of the figures of a backbone. Those of fine-tuning end with the label fraction.
const (
	keyCost      = "flops"
	keyLinear    = "linear_"
	keyKNN       = "knn_"
	keyFinetuned = "finetuned_"
	keyMIoU      = "miou"
)

// comparedPools are those of the probes.
var comparedPools = []probe.Pool{probe.PoolCLS, probe.PoolMean}

// MethodColumn is a figure that every row has.
type MethodColumn struct {
	Key   string `json:"key"`
	Title string `json:"title"`
}

// columns are the figures that are measured.
func (p *contest) columns() []MethodColumn {
	list := []MethodColumn{{keyCost, "flops"}}
	for _, pool := range comparedPools {
		list = append(list, MethodColumn{keyKNN + string(pool), fmt.Sprintf("20-NN %s %%", pool)})
	}
	for _, pool := range comparedPools {
		list = append(list, MethodColumn{keyLinear + string(pool), fmt.Sprintf("linear %s %%", pool)})
	}
	for _, f := range p.m.Fractions {
		list = append(list, MethodColumn{finetunedKey(f), fmt.Sprintf("fine-tuned at %s %%", percentText(f))})
	}
	if p.m.Masks != "" {
		list = append(list, MethodColumn{keyMIoU, "mIoU %"})
	}
	return list
}

func finetunedKey(fraction float64) string { return fmt.Sprintf("%s%g", keyFinetuned, fraction) }

// percentText writes a fraction as a percentage without an end of rounding.
func percentText(f float64) string { return fmt.Sprintf("%.6g", 100*f) }

// lengthText writes a number of operations so that it can be part of a path: 1e13, 2.5e+13 without its sign.
func lengthText(flops float64) string { return strings.ReplaceAll(fmt.Sprintf("%g", flops), "+", "") }

// Figured are the figures of a backbone with one seed, by the keys of columns. Accuracies are shares.
type Figured map[string]float64

// with is f with newer figures: what was measured for other columns stays.
func (f Figured) with(newer Figured) Figured {
	all := Figured{}
	maps.Copy(all, f)
	maps.Copy(all, newer)
	return all
}

// has says whether all columns are there.
func (f Figured) has(columns []MethodColumn) bool {
	for _, c := range columns {
		if _, ok := f[c.Key]; !ok {
			return false
		}
	}
	return true
}
