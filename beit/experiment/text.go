package experiment

import (
	"fmt"
	"io"
	"strings"

	"github.com/gobeit/gobeit/nn/state/plain"
)

// Table prints aligned columns: the first to the left, the others to the right.
type Table struct{ rows [][]string }

// Add adds a row.
func (t *Table) Add(cells ...string) {
	for i, c := range cells {
		cells[i] = plain.Text(c)
	}
	t.rows = append(t.rows, cells)
}

// Print writes the rows.
func (t *Table) Print(w io.Writer) error {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i == 0 {
				line.WriteString(cell + space)
			} else {
				line.WriteString("  " + space + cell)
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}
