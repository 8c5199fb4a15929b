package main

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report/figure"
)

// epochTable lays out a row for each epoch of a run: figures of training, and beside them those of its validation. Columns come from the
// method's table of metrics. A header comes before the first row, and again after other lines or when there are other columns.
type epochTable struct {
	method  string
	known   []column // that some epoch had a figure for, in order
	header  string   // that stands above the rows; empty: none does
	printed bool     // nothing came after it but rows
}

// column is a column of the table.
type column struct {
	key   string // of the metric; empty for the trend
	val   bool   // of the validation
	head  string
	width int
	rank  int
}

// Widths of a table: where there is no terminal, and of a figure by number.
const (
	plainColumns = 80
	figureWidth  = 6
)

// interrupted says that another line was printed.
func (t *epochTable) interrupted() { t.printed = false }

// add returns the row of an epoch on a terminal of a width, 0 for none, and the header that comes before it, if one is due.
func (t *epochTable) add(e method.Epoch, width int) (header, row string) {
	if width == 0 {
		width = plainColumns
	}
	if e.Method != t.method {
		*t = epochTable{method: e.Method}
	}
	t.learn(e)
	number := fmt.Sprintf("%d/%d", e.Number, e.Of)
	first := max(len("epoch"), 2*len(fmt.Sprint(e.Of))+1)
	header, row = fmt.Sprintf("%*s", first, "epoch"), fmt.Sprintf("%*s", first, number)
	for _, c := range fitting(t.known, width-1-first) {
		header += fmt.Sprintf("  %*s", c.width, c.head)
		row += fmt.Sprintf("  %*s", c.width, c.cell(e))
	}
	if t.printed && header == t.header {
		return "", row
	}
	t.header, t.printed = header, true
	return header, row
}

// learn adds the columns that an epoch has figures for and no epoch before it had.
func (t *epochTable) learn(e method.Epoch) {
	had := func(key string, val bool) bool {
		return slices.ContainsFunc(t.known, func(c column) bool { return c.key == key && c.val == val })
	}
	var now []column
	if e.Trend != "" || had("", true) {
		now = append(now, column{val: true, head: "trend", width: len(method.TrendCollapsing), rank: 1})
	}
	for _, m := range metricsOf(e.Method) {
		if m.Column == "" {
			continue
		}
		_, trained := e.Train[m.Key]
		_, validated := e.Val[m.Key]
		head := m.Column
		if trained || had(m.Key, false) {
			now = append(now, column{m.Key, false, head, max(figureWidth, utf8.RuneCountInString(head)), m.Rank})
			head = "val"
		} else if slices.ContainsFunc(now, func(c column) bool { return c.head == head }) { // that of training has a key of its own
			head = "val"
		}
		if validated || had(m.Key, true) {
			now = append(now, column{m.Key, true, head, max(figureWidth, utf8.RuneCountInString(head)), m.Rank})
		}
	}
	t.known = now
}

// fitting are those of the columns that fit into a width: the lowest ranks, in the order of the list.
func fitting(list []column, width int) []column {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return list[a].rank - list[b].rank })
	var kept []int
	for _, i := range order {
		if width -= 2 + list[i].width; width < 0 {
			break
		}
		kept = append(kept, i)
	}
	slices.Sort(kept)
	var columns []column
	for _, i := range kept {
		columns = append(columns, list[i])
	}
	return columns
}

// cell is what a column shows of an epoch; empty where it has no such figure.
func (c column) cell(e method.Epoch) string {
	if c.key == "" {
		return string(e.Trend)
	}
	values := e.Train
	if c.val {
		values = e.Val
	}
	if x, ok := values[c.key]; ok {
		return figure.Number(x)
	}
	return ""
}

// metricsOf are the metrics of a method's records.
func metricsOf(name string) []method.Metric {
	m, err := model.Methods().Find(name)
	if err != nil {
		return method.LoopMetrics()
	}
	return m.AllMetrics()
}
