package experiment

import (
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/nn/state/plain"
)

// columns are what a row shows behind its setting: names for people and for programs, and where the figure is.
var columns = []struct {
	title, name string
	of          func(f *Figures) **float64
	format      string
	factor      float64
}{
	{"reconstruction loss", "reconstruction", func(f *Figures) **float64 { return &f.Reconstruction }, "%.4f", 1},
	{"codes used", "codes_used", func(f *Figures) **float64 { return &f.CodesUsed }, "%.0f", 1},
	{"perplexity", "perplexity", func(f *Figures) **float64 { return &f.Perplexity }, "%.1f", 1},
	{"linear cls %", "linear_cls", func(f *Figures) **float64 { return &f.LinearCLS }, "%.1f", 100},
	{"linear mean %", "linear_mean", func(f *Figures) **float64 { return &f.LinearMean }, "%.1f", 100},
	{"linear grid %", "linear_grid", func(f *Figures) **float64 { return &f.LinearGrid }, "%.1f", 100},
	{"20-NN cls %", "knn_cls", func(f *Figures) **float64 { return &f.KNNCLS }, "%.1f", 100},
	{"20-NN mean %", "knn_mean", func(f *Figures) **float64 { return &f.KNNMean }, "%.1f", 100},
	{"20-NN grid %", "knn_grid", func(f *Figures) **float64 { return &f.KNNGrid }, "%.1f", 100},
	{"fine-tuned %", "finetuned", func(f *Figures) **float64 { return &f.Finetuned }, "%.1f", 100},
	{"seconds", "seconds", func(f *Figures) **float64 { return &f.Seconds }, "%.0f", 1},
}

// Markdown is a table for each group of rows, with "mean ± standard deviation" over several seeds. Columns of which a table has no figure are left
// out.
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
	if len(rows) > 0 && len(rows[0].Seeds) > 1 {
		var seeds []string
		for _, s := range rows[0].Seeds {
			seeds = append(seeds, fmt.Sprint(s.Seed))
		}
		fmt.Fprintf(&text, "Means over the seeds %s ± standard deviations between them.\n", strings.Join(seeds, ", "))
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
			v := *c.of(&r.Figures)
			if v == nil {
				continue
			}
			cells[i], shown = fmt.Sprintf(c.format, c.factor**v), true
			if r.SD != nil {
				cells[i] += " ± " + fmt.Sprintf(c.format, c.factor***c.of(r.SD))
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

// writeTables leaves the rows as Markdown and as CSV.
func writeTables(dir string, rows []Row) error { return writeBoth(dir, Markdown(rows), cells(rows)) }

// cells are the rows for programs: shares are not percentages, and over several seeds each figure has its standard deviation beside it.
func cells(rows []Row) grid {
	several := len(rows) > 0 && rows[0].SD != nil
	head := []string{"table", "setting"}
	for _, c := range columns {
		head = append(head, c.name)
		if several {
			head = append(head, c.name+"_sd")
		}
	}
	g := grid{head}
	for _, r := range rows {
		line := []string{r.Table, r.Setting}
		for _, c := range columns {
			line = append(line, cell(*c.of(&r.Figures)))
			if several {
				line = append(line, cell(*c.of(r.SD)))
			}
		}
		g = append(g, line)
	}
	return g
}

// cell is a figure for programs, nothing where there is none.
func cell(v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%.6g", *v)
}
