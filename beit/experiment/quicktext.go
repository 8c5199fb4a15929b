package experiment

import (
	"fmt"
	"io"

	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// Print shows what was found: what tokenizer and backbone learned, both ways beside the baselines, a verdict, and what to do next.
func (q *Quick) Print(w io.Writer) error {
	for _, m := range []*method.Method{tokenizer.Method, pretrain.Method} {
		fmt.Fprintf(w, "\nThe %s, on validation images (%s)\n", m.Title, q.Folders[m.Name])
		var t Table
		for _, metric := range m.Metrics {
			if v, ok := q.Validation[m.Name][metric.Key]; ok {
				t.Add("  "+metric.Label, fmt.Sprintf("%.4g", v))
			}
		}
		if err := t.Print(w); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "\n%d labels of %d images; top-1 on %d others in %d classes\n", q.Labels, q.Images, q.Unseen, q.Classes)
	var t Table
	t.Add("", "operations", "top-1")
	for _, r := range q.Ways.Rows {
		t.Add("  network, "+r.Entry.Name, q.Ways.amount(r.Cost), method.Percent(*r.Top1))
	}
	for _, b := range q.Baselines {
		t.Add(fmt.Sprintf("  linear classifier, %s %s", b.Network, b.Pool), "", method.Percent(b.Linear))
	}
	t.Add("  chance", "", method.Percent(q.Chance()))
	if err := t.Print(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n\nNext: beit recipe --time 1h --data IMAGES plans the same for your own images. The classifier: beit predict %s IMAGE\n",
		q.Verdict(), q.Folders[finetune.Method.Name])
	return err
}

// Chance is how often a guess is right.
func (q *Quick) Chance() float64 { return 1 / float64(q.Classes) }

// best is the best of the linear classifiers on features that were not pretrained.
func (q *Quick) best() QuickProbe {
	var best QuickProbe
	for _, b := range q.Baselines {
		if b.Network != subjectName && b.Linear > best.Linear {
			best = b
		}
	}
	return best
}

// Verdict says in two sentences what pretraining was worth here.
func (q *Quick) Verdict() string {
	scratch, pretrained, best := q.Ways.Rows[0], q.Ways.Rows[1], q.best()
	d := pretrained.Difference
	first := fmt.Sprintf("At equal cost pretraining is worth %+.1f points of accuracy over training from scratch (95 %% interval %+.1f … %+.1f).",
		100*d.Mean, 100*d.Low, 100*d.High)
	if d.Verdict == NotResolved {
		first = fmt.Sprintf("At equal cost pretrained and from scratch are not told apart: %s and %s.", method.Percent(*pretrained.Top1), method.Percent(*scratch.Top1))
	}
	than := "above"
	if *pretrained.Top1 <= best.Linear {
		than = "not above"
	}
	return fmt.Sprintf("%s The pretrained network is %s the best linear classifier on features that need no pretraining: %s with %s.",
		first, than, best.Network, method.Percent(best.Linear))
}
