package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gobeit/gobeit/beit/train"
)

// How often progress is shown: on a terminal as one line that changes, elsewhere as plain lines.
const (
	liveEvery  = 100 * time.Millisecond
	plainEvery = 15 * time.Second
)

// noticeableWait is the share of time spent waiting for pictures that a progress line mentions.
const noticeableWait = 0.05

// reporter shows how a run goes.
type reporter struct {
	w       io.Writer
	columns int // of the terminal; 0: not a terminal
	stage   train.Stage
	phase   string
	last    time.Time
	shown   bool // a live line stands on the terminal
}

func newReporter(w io.Writer) *reporter {
	columns, ok := terminal(w)
	if !ok {
		columns = 0
	}
	return &reporter{w: w, columns: columns, last: time.Now()}
}

// Progress implements train.Reporter.
func (r *reporter) Progress(p train.Progress) {
	every := plainEvery
	if r.columns > 0 {
		every = liveEvery
	}
	r.stage = p.Stage
	if now := time.Now(); now.Sub(r.last) >= every || p.Phase != r.phase && r.columns > 0 {
		r.phase, r.last = p.Phase, now
		r.show(p)
	}
}

func (r *reporter) show(p train.Progress) {
	if r.columns == 0 {
		fmt.Fprintln(r.w, strings.Join(parts(p), "  "))
		return
	}
	r.live(strings.Join(slices.Insert(parts(p), 1, bar(p.Done, p.Total)), "  "))
}

// live shows text in place of the live line; nothing where there is no terminal.
func (r *reporter) live(text string) {
	if r.columns == 0 {
		return
	}
	if cells := []rune(text); len(cells) >= r.columns {
		text = string(cells[:r.columns-1])
	}
	fmt.Fprintf(r.w, "\r%s\x1b[K", text)
	r.shown = true
}

// parts says in words what there is to say about p.
func parts(p train.Progress) []string {
	words := []string{string(p.Stage)}
	if p.Phase != "train" {
		words = append(words, p.Phase)
	}
	if p.Epochs > 0 {
		words = append(words, fmt.Sprintf("epoch %d/%d", p.Epoch, p.Epochs))
	}
	if p.Total > 0 {
		words = append(words, fmt.Sprintf("%d/%d", p.Done, p.Total))
	}
	if p.Phase == "train" && p.Loss != 0 { // 0: not known yet
		words = append(words, fmt.Sprintf("loss %.4f", p.Loss))
	}
	if p.ImagesPerSec > 0 {
		words = append(words, fmt.Sprintf("%.0f images/s", p.ImagesPerSec))
	}
	if p.DataWait >= noticeableWait {
		words = append(words, fmt.Sprintf("%.0f %% waiting for pictures", 100*p.DataWait))
	}
	if p.Left > 0 {
		words = append(words, clock(p.Left)+" left")
	}
	return words
}

// bar draws how much is done.
func bar(done, total int) string {
	const cells = 24
	full := 0
	if total > 0 {
		full = min(cells, done*cells/total)
	}
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", cells-full) + "]"
}

// clock writes a duration as people read it: 45s, 2m05s, 3h20m, 2d04h.
func clock(d time.Duration) string {
	s := int(math.Ceil(d.Seconds()))
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 48*3600:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
}

// shownValues are the values of a record that are shown, in this order, and what they are called. metrics.jsonl has all of them.
var shownValues = [][2]string{
	{"class_loss", "cross-entropy"}, {"accuracy", "accuracy"}, {"top1", "top-1"}, {"top5", "top-5"}, {"balanced", "balanced"},
	{"ema_top1", "top-1 of the average"}, {"best_top1", "best"},
	{"rec_loss", "reconstruction"}, {"quant_loss", "commitment"},
	{"cross_entropy", "cross-entropy"}, {"teacher_entropy", "entropy of outputs"}, {"mean_entropy", "of their mean"},
	{"loss_1", "loss main"}, {"loss_2", "aggregation"}, {"loss_swap", "with CLS swapped"}, {"unigram_entropy", "entropy of codes"},
	{"mlm_acc_1", "accuracy main"}, {"mlm_acc_2", "aggregation"}, {"copy_acc", "by copying"},
	{"codes_used", "codes used"}, {"perplexity", "perplexity"}, {"reseeded", "re-seeded"},
	{"grad_norm", "gradient norm"}, {"img_per_s", "images/s"}, {"data_wait", "share of time waiting for pictures"},
}

// Record implements train.Reporter: epochs and validations get a line that stays.
func (r *reporter) Record(rec train.Record) {
	if rec.Kind == train.KindStep {
		return
	}
	words := []string{fmt.Sprintf("%s epoch %d", r.stage, rec.Epoch)}
	if rec.Kind == train.KindVal {
		words[0] += " validation"
	}
	for _, v := range shownValues {
		if x, ok := rec.Values[v[0]]; ok {
			words = append(words, v[1]+" "+number(x))
		}
	}
	r.line(strings.Join(words, "  "))
}

// number writes a figure with about four digits.
func number(v float64) string {
	switch a := math.Abs(v); {
	case v == math.Trunc(v) && a < 1e9:
		return fmt.Sprintf("%.0f", v)
	case a >= 100:
		return fmt.Sprintf("%.1f", v)
	case a >= 0.001:
		return fmt.Sprintf("%.4f", v)
	}
	return fmt.Sprintf("%.2e", v)
}

// Notice implements train.Reporter.
func (r *reporter) Notice(text string) { r.line(text) }

// Warning implements train.Reporter.
func (r *reporter) Warning(text string) { r.line("warning: " + text) }

// line prints a line that stays, above the live one.
func (r *reporter) line(text string) {
	r.clear()
	fmt.Fprintln(r.w, plain(text))
}

// clear takes the live line away.
func (r *reporter) clear() {
	if r.shown {
		fmt.Fprint(r.w, "\r\x1b[K")
		r.shown = false
	}
}
