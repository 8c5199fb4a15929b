package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// How often progress is shown: on a terminal as one line that changes, elsewhere as plain lines.
const (
	liveEvery  = 100 * time.Millisecond
	plainEvery = 15 * time.Second
)

// noticeableDataTime is the share of data time that a progress line mentions.
const noticeableDataTime = 0.05

// reporter shows how a run goes.
type reporter struct {
	w       io.Writer
	columns int // of the terminal; 0: not a terminal
	method  string
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

// Progress implements method.Reporter.
func (r *reporter) Progress(p method.Progress) {
	every := plainEvery
	if r.columns > 0 {
		every = liveEvery
	}
	r.method = p.Method
	if now := time.Now(); now.Sub(r.last) >= every || p.Phase != r.phase && r.columns > 0 {
		r.phase, r.last = p.Phase, now
		r.show(p)
	}
}

func (r *reporter) show(p method.Progress) {
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
func parts(p method.Progress) []string {
	words := []string{p.Method}
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
	if p.DataTime >= noticeableDataTime {
		words = append(words, fmt.Sprintf("%.0f %% data time", 100*p.DataTime))
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

// Record implements train.Reporter: epochs and validations get a line that stays. The method's table says what is shown.
func (r *reporter) Record(rec run.Record) {
	if rec.Kind == run.KindStep {
		return
	}
	words := []string{fmt.Sprintf("%s epoch %d", r.method, rec.Epoch)}
	if rec.Kind == run.KindVal {
		words[0] += " validation"
	}
	for _, m := range metricsOf(r.method) {
		if x, ok := rec.Values[m.Key]; ok && !m.Quiet {
			words = append(words, m.Label+" "+number(x))
		}
	}
	r.line(strings.Join(words, "  "))
}

// metricsOf are the metrics of a method's records.
func metricsOf(name string) []method.Metric {
	m, err := model.Methods().Find(name)
	if err != nil {
		return method.LoopMetrics()
	}
	return m.AllMetrics()
}

// number writes a figure with about four digits.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Sprint(v)
	case v == math.Trunc(v) && a < 1e9:
		return fmt.Sprintf("%.0f", v)
	case a >= 100:
		return fmt.Sprintf("%.1f", v)
	case a >= 0.001:
		return fmt.Sprintf("%.4f", v)
	}
	return fmt.Sprintf("%.2e", v)
}

// Notice implements method.Reporter.
func (r *reporter) Notice(text string) { r.line(text) }

// Warning implements method.Reporter.
func (r *reporter) Warning(text string) { r.line("warning: " + text) }

// damaged warns of checkpoints that were left out when a model was opened, and tells what of a file was taken or assumed.
func (r *reporter) damaged(list []error) { method.Tell(r, list) }

// line prints a line that stays, above the live one.
func (r *reporter) line(text string) {
	r.clear()
	fmt.Fprintln(r.w, plain.Text(text))
}

// clear takes the live line away.
func (r *reporter) clear() {
	if r.shown {
		fmt.Fprint(r.w, "\r\x1b[K")
		r.shown = false
	}
}
