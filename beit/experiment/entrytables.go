package experiment

import (
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// CorrectFile in the folder of a comparison says of each validation image which runs were right.
const CorrectFile = "correct.csv"

// grid is a table of texts: the first row is the head.
type grid [][]string

// results is the table of costs and of fine-tuned classifiers.
func (s *Standing) results() grid {
	g := grid{{"entry", "alternatives", s.Unit + " planned", s.Unit, "fine-tuned %", "difference", "95 % interval", "verdict"}}
	for _, r := range s.Rows {
		row := []string{r.Entry.Name, strconv.Itoa(r.Alternatives), s.amount(s.Budget), s.amount(r.Cost), percents(r.Top1), "", "", ""}
		if r.Spread != nil {
			row[4] += fmt.Sprintf(" ± %.1f", 100**r.Spread)
		}
		if d := r.Difference; d != nil {
			row[5], row[6], row[7] = fmt.Sprintf("%+.2f", 100*d.Mean), fmt.Sprintf("%+.2f … %+.2f", 100*d.Low, 100*d.High), d.Verdict
		}
		g = append(g, row)
	}
	return g
}

// probes is the table of the networks before fine-tuning; empty where there is none.
func (s *Standing) probes() grid {
	g := grid{{"before fine-tuning"}}
	for _, pool := range probe.Pools {
		g[0] = append(g[0], fmt.Sprintf("linear %s %%", pool))
	}
	for _, pool := range probe.Pools {
		g[0] = append(g[0], fmt.Sprintf("20-NN %s %%", pool))
	}
	for _, r := range s.Rows {
		row := []string{r.Entry.Name}
		for _, of := range []map[probe.Pool]*float64{r.Linear, r.KNN} {
			for _, pool := range probe.Pools {
				row = append(row, percents(of[pool]))
			}
		}
		if strings.Join(row[1:], "") != "" {
			g = append(g, row)
		}
	}
	if len(g) == 1 {
		return nil
	}
	return g
}

// amount writes a cost.
func (s *Standing) amount(v float64) string {
	if s.Unit == unitFLOPs {
		return fmt.Sprintf("%.4g", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// percents writes a share as a percentage; nothing where there is none.
func percents(v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%.1f", 100**v)
}

// Markdown is the tables, with notes below.
func (s *Standing) Markdown() string { return markdown(s.Notes(), s.results(), s.probes()) }

// markdown is tables, with notes below. A table without rows is left out.
func markdown(notes []string, tables ...grid) string {
	var text strings.Builder
	for _, g := range tables {
		for i, row := range g {
			for _, cell := range row {
				text.WriteString("| " + strings.ReplaceAll(plain.Text(cell), "|", `\|`) + " ")
			}
			text.WriteString("|\n")
			if i == 0 {
				text.WriteString(strings.Repeat("|---", len(row)) + "|\n")
			}
		}
		if g != nil {
			text.WriteString("\n")
		}
	}
	for _, note := range notes {
		text.WriteString(plain.Text(note) + "\n\n")
	}
	return text.String()
}

// write leaves tables, page, and the correctness of every image in a folder. val are the names of the validation images.
func (s *Standing) write(dir string, val []string) error {
	err := writeBoth(dir, s.Markdown(), s.csv())
	if err == nil {
		err = writeCSV(filepath.Join(dir, CorrectFile), s.correct(val))
	}
	if err == nil {
		err = s.writePage(filepath.Join(dir, PageFile))
	}
	return err
}

// csv is every figure of the entries, shares not as percentages.
func (s *Standing) csv() grid {
	head := []string{"entry", "alternatives", "chosen", "unit", "planned", "cost", "seeds", "finetuned", "spread", "difference", "low", "high", "verdict"}
	for _, of := range []string{"linear", "knn"} {
		for _, pool := range probe.Pools {
			head = append(head, of+"_"+string(pool))
		}
	}
	g := grid{head}
	number := func(v *float64) string {
		if v == nil {
			return ""
		}
		return fmt.Sprintf("%.8g", *v)
	}
	for _, r := range s.Rows {
		row := []string{r.Entry.Name, strconv.Itoa(r.Alternatives), r.Chosen, s.Unit, number(&s.Budget), number(&r.Cost), strconv.Itoa(len(r.Seeds)),
			number(r.Top1), number(r.Spread)}
		if d := r.Difference; d != nil {
			row = append(row, number(&d.Mean), number(&d.Low), number(&d.High), d.Verdict)
		} else {
			row = append(row, "", "", "", "")
		}
		for _, of := range []map[probe.Pool]*float64{r.Linear, r.KNN} {
			for _, pool := range probe.Pools {
				row = append(row, number(of[pool]))
			}
		}
		g = append(g, row)
	}
	return g
}

// correct has a row for each validation image: 1 where the run of an entry with a seed was right, 0 where it was wrong, nothing where it could not
// read the image.
func (s *Standing) correct(val []string) grid {
	g := make(grid, len(val)+1)
	g[0] = []string{"image"}
	for i, name := range val {
		g[i+1] = []string{name}
	}
	for _, r := range s.Rows {
		for _, seed := range r.Seeds {
			if seed.Right == "" {
				continue
			}
			g[0] = append(g[0], fmt.Sprintf("%s, seed %d", r.Entry.Name, seed.Seed))
			for i := range val {
				g[i+1] = append(g[i+1], strings.Trim(seed.Right[i:i+1], string(isUnread)))
			}
		}
	}
	return g
}

// writeBoth leaves a table in a folder: for people, and for programs.
func writeBoth(dir, text string, rows grid) error {
	err := state.WriteFileAtomic(filepath.Join(dir, MarkdownFile), func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
	if err != nil {
		return err
	}
	return writeCSV(filepath.Join(dir, CSVFile), rows)
}

func writeCSV(name string, rows grid) error {
	return state.WriteFileAtomic(name, func(w io.Writer) error { return csv.NewWriter(w).WriteAll(rows) })
}
