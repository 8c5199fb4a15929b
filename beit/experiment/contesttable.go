package experiment

import (
	"fmt"
	"io"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/segment"
)

// MethodRow is a way to pretrain with a length: the means of its figures over the seeds.
type MethodRow struct {
	Method string    `json:"method"`
	Title  string    `json:"title"`
	Length float64   `json:"length"` // operations that were allowed
	Mean   Figured   `json:"mean"`
	SD     Figured   `json:"sd,omitempty"` // standard deviations over the seeds, estimated from them; nil for one
	Seeds  []Figured `json:"seeds"`        // in the order of the table's seeds
}

// summarize fills in what follows from the seeds.
func (r *MethodRow) summarize(columns []MethodColumn) {
	r.Mean = Figured{}
	for _, c := range columns {
		mean, sd := meanAndSpread(r.Seeds, func(f Figured) *float64 { return value(f, c.Key) })
		r.Mean[c.Key] = *mean
		if sd != nil {
			if r.SD == nil {
				r.SD = Figured{}
			}
			r.SD[c.Key] = *sd
		}
	}
}

// MethodTable are ways to pretrain side by side.
type MethodTable struct {
	Seeds   []int64        `json:"seeds"`
	Columns []MethodColumn `json:"columns"`
	Rows    []MethodRow    `json:"rows"`
	Notes   []string       `json:"notes"` // what a reader must know
}

// Markdown is the table, with notes below.
func (t *MethodTable) Markdown() string {
	g := grid{{"method", "flops allowed"}}
	for _, c := range t.Columns {
		g[0] = append(g[0], c.Title)
	}
	for _, r := range t.Rows {
		row := []string{r.Method, fmt.Sprintf("%.4g", r.Length)}
		for _, c := range t.Columns {
			if c.Key == keyCost {
				row = append(row, fmt.Sprintf("%.4g", r.Mean[c.Key]))
				continue
			}
			cell := fmt.Sprintf("%.1f", 100*r.Mean[c.Key])
			if sd, ok := r.SD[c.Key]; ok {
				cell += fmt.Sprintf(" ± %.1f", 100*sd)
			}
			row = append(row, cell)
		}
		g = append(g, row)
	}
	notes := t.Notes
	if len(t.Seeds) > 1 {
		notes = append(notes[:len(notes):len(notes)], fmt.Sprintf("Means over the seeds %s ± standard deviations between them.", listOf(t.Seeds)))
	}
	return markdown(notes, g)
}

// csv is every figure, with its standard deviation beside it where there are several seeds. Shares are not percentages.
func (t *MethodTable) csv() grid {
	g := grid{{"method", "length", "seeds"}}
	for _, c := range t.Columns {
		g[0] = append(g[0], c.Key)
		if len(t.Seeds) > 1 {
			g[0] = append(g[0], c.Key+"_sd")
		}
	}
	for _, r := range t.Rows {
		row := []string{r.Method, number(r.Length), fmt.Sprint(len(r.Seeds))}
		for _, c := range t.Columns {
			row = append(row, cell(value(r.Mean, c.Key)))
			if len(t.Seeds) > 1 {
				row = append(row, cell(value(r.SD, c.Key)))
			}
		}
		g = append(g, row)
	}
	return g
}

// PlannedMethod is a row that would be measured, with what its runs take by the cost of the methods.
type PlannedMethod struct {
	Method    string  `json:"method"`
	FLOPs     float64 `json:"flops"`           // with one seed
	Tokenizer float64 `json:"flops_tokenizer"` // of them
	PerImage  float64 `json:"flop_per_image"`  // of pretraining, labels, teachers and decoders included
	Epochs    float64 `json:"epochs"`          // of pretraining, by that
	After     float64 `json:"flops_after"`     // of fine-tuning and of the segmentation head, which are in no cost
}

// MethodPlan is what a comparison would train.
type MethodPlan struct {
	Images int             `json:"images"`
	Seeds  int             `json:"seeds"`
	Total  float64         `json:"flops"` // of everything but probes, with all seeds
	Rows   []PlannedMethod `json:"rows"`
}

// plan reckons what the runs take.
func (p *contest) plan() *MethodPlan {
	plan := &MethodPlan{Images: p.images, Seeds: len(p.c.Seeds)}
	for _, one := range p.pairs() {
		w := one.way
		r := PlannedMethod{Method: w.Name, FLOPs: one.length, PerImage: w.perImage(), After: p.downstream(w)}
		if w.tokenizer != nil {
			r.Tokenizer = tokenizerShare * one.length
		}
		r.Epochs = (r.FLOPs - r.Tokenizer) / r.PerImage / float64(p.images)
		plan.Total += float64(plan.Seeds) * (r.FLOPs + r.After)
		plan.Rows = append(plan.Rows, r)
	}
	return plan
}

// perImage is what pretraining on an image takes. Methods that learn from a tokenizer reckon with the labels of their preset's.
func (w way) perImage() float64 {
	flops := w.Method.Cost(w.config).FLOPs
	if w.tokenizer != nil {
		flops += pretrain.LabelFLOPs(w.config, w.tokenizer) - pretrain.PresetLabelFLOPs(w.config)
	}
	return flops
}

// downstream is what fine-tuning and the segmentation head of a backbone take.
func (p *contest) downstream(w way) (flops float64) {
	epochs := func(m *method.Method, c *config.Config, images float64) float64 {
		return m.Cost(c).FLOPs * images * float64(c.Train.Epochs)
	}
	for _, fraction := range p.m.Fractions {
		flops += epochs(finetune.Method, w.finetune, fraction*float64(p.images))
	}
	if w.segment != nil {
		flops += epochs(segment.Method, w.segment, float64(p.masks))
	}
	return flops
}

// Print writes the plan for people.
func (p *MethodPlan) Print(w io.Writer) error {
	var t Table
	t.Add("method", "flops", "of them the tokenizer", "an image", "epochs", "then, not counted")
	for _, r := range p.Rows {
		t.Add(r.Method, fmt.Sprintf("%.4g", r.FLOPs), fmt.Sprintf("%.4g", r.Tokenizer), fmt.Sprintf("%.4g", r.PerImage), fmt.Sprintf("%.1f", r.Epochs),
			fmt.Sprintf("%.4g", r.After))
	}
	if err := t.Print(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nimages: %d; seeds: %d; floating-point operations together, besides probes: %.4g\n", p.Images, p.Seeds, p.Total)
	return err
}
