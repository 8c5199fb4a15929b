package experiment

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/gobeit/gobeit/beit/probe"
)

// checkSeeds says what is wrong with Seeds.
func (c *Comparison) checkSeeds() error {
	if !distinct(c.Seeds) {
		return wrong("--seeds %d: must be whole numbers that are not negative, each once", c.Seeds)
	}
	for _, s := range c.Set {
		if len(c.Seeds) > 0 && parse(s).key == "seed" {
			return wrong("set %s: --seeds chooses the seeds: leave one of the two away", s)
		}
	}
	return nil
}

// distinct says whether seeds can be told apart, and are such.
func distinct(seeds []int64) bool {
	for i, s := range seeds {
		if s < 0 || slices.Contains(seeds[:i], s) {
			return false
		}
	}
	return true
}

// row measures a trial with each seed, unless its figures are in done. They are kept there, seed by seed. place is that of the row, for notices.
func (p *plan) row(t trial, place string, done map[string]Row) (Row, error) {
	row := Row{Table: t.table, Setting: t.setting}
	if len(p.c.Seeds) == 0 {
		var err error
		row.Figures, err = p.oneSeed(t, place, done)
		return row, err
	}
	for _, s := range p.c.Seeds {
		one := t
		if s != p.seed {
			one.seed = []string{fmt.Sprintf("seed=%d", s)}
		}
		figures, err := p.oneSeed(one, place, done)
		if err != nil {
			return row, err
		}
		row.Seeds = append(row.Seeds, SeedFigures{s, figures})
	}
	row.summarize()
	return row, nil
}

// oneSeed measures a trial with its seed, unless its figures are in done: all those that are wanted.
func (p *plan) oneSeed(t trial, place string, done map[string]Row) (Figures, error) {
	row, known := done[t.key()]
	if known && (row.Finetuned != nil || !t.finetune) {
		return row.Figures, nil
	}
	p.env.reporter().Notice(fmt.Sprintf("%s: %s", place, t))
	row, err := p.measure(t)
	if err != nil {
		return row.Figures, fmt.Errorf("%s: %w", t, err)
	}
	done[t.key()] = row
	return row.Figures, writeJSON(filepath.Join(p.c.Out, rowsFile), done)
}

// meanAndSpread are those of a figure over the seeds: both nil where a seed does not have it, and the spread of fewer than two seeds.
func meanAndSpread[S any](seeds []S, of func(S) *float64) (mean, spread *float64) {
	var values []float64
	sum := 0.0
	for _, s := range seeds {
		v := of(s)
		if v == nil {
			return nil, nil
		}
		values = append(values, *v)
		sum += *v / float64(len(seeds))
	}
	if len(values) < 2 {
		return &sum, nil
	}
	sd := probe.Spread(values)
	return &sum, &sd
}
