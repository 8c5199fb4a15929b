package config

// Nearest returns the name that the fewest edits separate from s, the first on ties.
func Nearest(s string, names []string) string {
	best, least := "", -1
	for _, n := range names {
		if d := edits(s, n); least < 0 || d < least {
			best, least = n, d
		}
	}
	return best
}

// edits is the Levenshtein distance of two strings, by bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := min(row[j], row[j+1]) + 1
			if a[i] == b[j] {
				d = min(d, diagonal)
			} else {
				d = min(d, diagonal+1)
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
