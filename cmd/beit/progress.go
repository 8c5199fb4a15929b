package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report/figure"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// How often progress is shown: on a terminal as one line that changes, elsewhere as plain lines.
const (
	liveEvery  = 100 * time.Millisecond
	plainEvery = 15 * time.Second
	rowEvery   = 5 * time.Second // for epochs that validate nothing: some take less than a second, and there are hundreds
)

// noticeableDataTime is the share of data time that a progress line mentions.
const noticeableDataTime = 0.05

// reporter shows how a run goes.
type reporter struct {
	w        io.Writer
	columns  int // of the terminal; 0: not a terminal
	color    bool
	phase    string // that was shown last
	training bool   // some step was shown
	last     time.Time
	shown    bool // a live line stands on the terminal
	table    epochTable
	row      time.Time // when an epoch got a row
}

func newReporter(w io.Writer) *reporter {
	columns, ok := terminal(w)
	if !ok {
		columns = 0
	}
	return &reporter{w: w, columns: columns, color: ok && os.Getenv("NO_COLOR") == "", last: time.Now()}
}

// Progress implements method.Reporter. What begins is shown at once: on a terminal always, elsewhere of a run until training has begun.
func (r *reporter) Progress(p method.Progress) {
	every, begins := plainEvery, p.Phase != r.phase
	if r.columns > 0 {
		every = liveEvery
	} else {
		begins = begins && p.Epochs > 0 && !r.training
	}
	if now := time.Now(); begins || now.Sub(r.last) >= every {
		r.phase, r.last, r.training = p.Phase, now, r.training || p.Phase == "train"
		r.show(p)
	}
}

func (r *reporter) show(p method.Progress) {
	if r.columns == 0 {
		r.table.interrupted()
		fmt.Fprintln(r.w, strings.Join(parts(p), "  "))
		return
	}
	r.resize()
	r.live(liveText(p, r.columns))
}

// resize follows the terminal's width.
func (r *reporter) resize() {
	if columns, ok := terminal(r.w); ok {
		r.columns = columns
	}
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

// Widths of a terminal from which a live line has a bar, and a long one.
const (
	barFrom     = 72
	longBarFrom = 110
)

// liveText is the live line: of its parts those that fit before the last column.
func liveText(p method.Progress, columns int) string {
	words := parts(p)
	text := words[0]
	switch {
	case columns >= longBarFrom:
		text += "  " + bar(p.Done, p.Total, 24)
	case columns >= barFrom:
		text += "  " + bar(p.Done, p.Total, 10)
	}
	for _, w := range words[1:] {
		if len(text)+2+len(w) < columns {
			text += "  " + w
		}
	}
	return text
}

// parts are the words of a progress line, the most important first.
func parts(p method.Progress) []string {
	words := []string{p.Method}
	if p.Phase != "train" {
		words = append(words, p.Phase)
	}
	if p.Epochs > 0 && p.Epoch > 0 && (p.Phase == "train" || p.Phase == "validate") {
		words = append(words, fmt.Sprintf("epoch %d/%d", p.Epoch, p.Epochs))
	}
	if p.Total > 0 {
		words = append(words, fmt.Sprintf("%d/%d", p.Done, p.Total))
	}
	if p.Parts > 0 {
		words = append(words, fmt.Sprintf("part %d/%d", p.Part, p.Parts))
	}
	if p.Left > 0 {
		words = append(words, figure.Duration(p.Left)+" left")
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
	return words
}

// bar draws how much is done.
func bar(done, total, cells int) string {
	full := 0
	if total > 0 {
		full = min(cells, done*cells/total)
	}
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", cells-full) + "]"
}

// Record implements train.Reporter. What stays on the screen comes with the end of an epoch.
func (r *reporter) Record(run.Record) {}

// Epoch implements train.Reporter: an epoch gets a row that stays. Of short epochs without validation some do, the first and the last among them.
func (r *reporter) Epoch(e method.Epoch) {
	if len(e.Val) == 0 && e.Number > 1 && e.Number < e.Of && time.Since(r.row) < rowEvery {
		return
	}
	r.row = time.Now()
	r.resize()
	r.clear()
	header, row := r.table.add(e, r.columns)
	if header != "" {
		fmt.Fprintln(r.w, r.paint(bold, header))
	}
	if e.Trend == method.TrendCollapsing {
		row = r.paint(red, row)
	}
	fmt.Fprintln(r.w, row)
}

// Notice implements method.Reporter.
func (r *reporter) Notice(text string) { r.line(plain.Text(text)) }

// Warning implements method.Reporter.
func (r *reporter) Warning(text string) { r.line(r.paint(yellow, "warning:") + " " + plain.Text(text)) }

// damaged warns of checkpoints that were left out when a model was opened, and tells what of a file was taken or assumed.
func (r *reporter) damaged(list []error) { method.Tell(r, list) }

// line prints a line that stays, above the live one.
func (r *reporter) line(text string) {
	r.clear()
	r.table.interrupted()
	fmt.Fprintln(r.w, text)
}

// clear takes the live line away.
func (r *reporter) clear() {
	if r.shown {
		fmt.Fprint(r.w, "\r\x1b[K")
		r.shown = false
	}
}

// Styles of a terminal, by their numbers in its escape sequences.
const (
	bold   = 1
	red    = 31
	yellow = 33
)

// paint gives text a style, on a terminal whose user did not ask for none.
func (r *reporter) paint(style int, text string) string {
	if !r.color {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", style, text)
}
