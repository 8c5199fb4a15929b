package config

import (
	"fmt"
	"strings"
)

// Nearest returns the name that the fewest edits separate from s, the first on ties. It is "" where more than a third of s would have to be edited, or
// more than three letters. The one name that begins with s is near too. Case does not count.
func Nearest(s string, names []string) string {
	best, least := "", min(3, len(s)/3)+1
	for _, n := range names {
		if d := edits(strings.ToLower(s), strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	if best != "" || len(s) < 3 {
		return best
	}
	for _, n := range names {
		switch {
		case !strings.HasPrefix(strings.ToLower(n), strings.ToLower(s)):
		case best != "": // not the only one
			return ""
		default:
			best = n
		}
	}
	return best
}

// Hint is what to say after "there is no s": which of the names was probably meant, in the given format, or else otherwise.
func Hint(s string, names []string, format, otherwise string) string {
	if n := Nearest(s, names); n != "" {
		return fmt.Sprintf("did you mean "+format+"?", n)
	}
	return otherwise
}

// NearestKey returns the key that was probably meant by s: one that other programs call so, one that ends as s does, or one that is nearly s, as a whole or
// in its last part; "" where there is none.
func NearestKey(s string, keys []string) string {
	if key := KnownKey(s, keys); key != "" {
		return key
	}
	if key := Nearest(s, keys); key != "" {
		return key
	}
	var parts []string
	for _, key := range keys {
		parts = append(parts, lastPart(key))
	}
	return endingAs(s, Nearest(lastPart(s), parts), keys)
}

// KnownKey returns the key whose last part is that of s, or what other programs call so; "" where there is none. An underscore may stand where a
// key has a dot.
func KnownKey(s string, keys []string) string {
	last := lastPart(s)
	for _, end := range []string{s, last, Elsewhere(last), strings.ReplaceAll(last, "_", ".")} {
		if key := endingAs(s, end, keys); key != "" {
			return key
		}
	}
	return ""
}

// endingAs returns the key with an end, which is whole parts, that is nearest to s as a whole.
func endingAs(s, end string, keys []string) (key string) {
	least := -1
	for _, k := range keys {
		if d := edits(s, k); strings.HasSuffix("."+k, "."+end) && (least < 0 || d < least) {
			key, least = k, d
		}
	}
	return key
}

// lastPart is what follows the last dot of a key.
func lastPart(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// edits counts what it takes to make b of a, by bytes: insertions, deletions, replacements, and exchanges of neighbours.
func edits(a, b string) int {
	before, row, next := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			replaced := row[j]
			if a[i] != b[j] {
				replaced++
			}
			next[j+1] = min(replaced, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		if before == nil {
			before = make([]int, len(b)+1)
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
