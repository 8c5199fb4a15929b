package experiment

import (
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// columns are what a row shows behind its setting: names for people and for programs, and values.
var columns = []struct {
	title, name string
	of          func(r Row) *float64
	format      string
	factor      float64
}{
	{"reconstruction", "reconstruction", func(r Row) *float64 { return r.Reconstruction }, "%.4f", 1},
	{"codes used", "codes_used", func(r Row) *float64 { return r.CodesUsed }, "%.0f", 1},
	{"perplexity", "perplexity", func(r Row) *float64 { return r.Perplexity }, "%.1f", 1},
	{"linear cls %", "linear_cls", func(r Row) *float64 { return r.LinearCLS }, "%.1f", 100},
	{"linear mean %", "linear_mean", func(r Row) *float64 { return r.LinearMean }, "%.1f", 100},
	{"linear grid %", "linear_grid", func(r Row) *float64 { return r.LinearGrid }, "%.1f", 100},
	{"20-NN cls %", "knn_cls", func(r Row) *float64 { return r.KNNCLS }, "%.1f", 100},
	{"20-NN mean %", "knn_mean", func(r Row) *float64 { return r.KNNMean }, "%.1f", 100},
	{"20-NN grid %", "knn_grid", func(r Row) *float64 { return r.KNNGrid }, "%.1f", 100},
	{"fine-tuned %", "finetuned", func(r Row) *float64 { return r.Finetuned }, "%.1f", 100},
	{"seconds", "seconds", func(r Row) *float64 { return &r.Seconds }, "%.0f", 1},
}

// Markdown is a table for each group of rows. Columns of which a table has no figure are left out.
func Markdown(rows []Row) string {
	var text strings.Builder
	for first := 0; first < len(rows); {
		last := first
		for last < len(rows) && rows[last].Table == rows[first].Table {
			last++
		}
		markdownTable(&text, rows[first:last])
		first = last
	}
	return text.String()
}

func markdownTable(w *strings.Builder, rows []Row) {
	head, rule := "| "+rows[0].Table+" |", "|---|"
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = "| " + strings.ReplaceAll(plain.Text(r.Setting), "|", `\|`) + " |"
	}
	for _, c := range columns {
		shown := false
		cells := make([]string, len(rows))
		for i, r := range rows {
			if v := c.of(r); v != nil {
				cells[i], shown = fmt.Sprintf(c.format, c.factor**v), true
			}
		}
		if !shown {
			continue
		}
		head, rule = head+" "+c.title+" |", rule+"---|"
		for i, cell := range cells {
			lines[i] += " " + cell + " |"
		}
	}
	fmt.Fprintf(w, "%s\n%s\n%s\n\n", head, rule, strings.Join(lines, "\n"))
}

// writeTables leaves the rows as markdown and as CSV, where shares are not percentages.
func writeTables(dir string, rows []Row) error {
	err := state.WriteFileAtomic(filepath.Join(dir, MarkdownFile), func(w io.Writer) error {
		_, err := io.WriteString(w, Markdown(rows))
		return err
	})
	if err != nil {
		return err
	}
	return state.WriteFileAtomic(filepath.Join(dir, CSVFile), func(w io.Writer) error {
		out := csv.NewWriter(w)
		head := []string{"table", "setting"}
		for _, c := range columns {
			head = append(head, c.name)
		}
		out.Write(head) // errors are kept for Error
		for _, r := range rows {
			line := []string{r.Table, r.Setting}
			for _, c := range columns {
				cell := ""
				if v := c.of(r); v != nil {
					cell = fmt.Sprintf("%.6g", *v)
				}
				line = append(line, cell)
			}
			out.Write(line)
		}
		out.Flush()
		return out.Error()
	})
}
