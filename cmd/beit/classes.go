package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/nn/state/regular"
)

// readNames reads a file of n names, one a line.
func readNames(path string, n int) ([]string, error) {
	names, err := readLines(path)
	if err != nil {
		return nil, fmt.Errorf("--class-names: %w", err)
	}
	if len(names) != n {
		return nil, fmt.Errorf("--class-names: %s: has %d names, the classifier %d outputs", path, len(names), n)
	}
	return names, nil
}

// readLines reads the lines of a small file without blanks around them; empty ones do not count.
func readLines(path string) (lines []string, err error) {
	text, err := regular.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// chooseOutputs says which output of a classifier stands for each class of the images, and which others compete behind them. mask is a file or empty,
// names are the outputs', nil where they are not known, n is their number. Classes are found by their name; where the classifier has no class of
// the images', they are those that compete, in the same order, and byOrder says so.
func chooseOutputs(mask string, names []string, n int, classes []string) (chosen []int, byOrder bool, err error) {
	competing := make([]int, n)
	for i := range competing {
		competing[i] = i
	}
	if mask != "" {
		if competing, err = readMask(mask, names, n); err != nil {
			return nil, false, fmt.Errorf("--class-mask: %s: %w", mask, err)
		}
	}
	known := false
	var lost []string
	for _, class := range classes {
		at := slices.Index(names, class)
		known = known || at >= 0
		if at >= 0 && slices.Contains(competing, at) {
			chosen = append(chosen, at)
		} else {
			lost = append(lost, strconv.Quote(class))
		}
	}
	if len(lost) > 0 {
		if known || len(competing) != len(classes) { // where some names are right, order would pair the others with outputs that are not theirs
			return nil, false, fmt.Errorf("%d of the %d classes of the images, such as %s, are not by name among the %d outputs that compete: say which are meant with --class-names or --class-mask",
				len(lost), len(classes), strings.Join(lost[:min(2, len(lost))], " and "), len(competing))
		}
		return competing, true, nil
	}
	for _, o := range competing {
		if !slices.Contains(chosen, o) {
			chosen = append(chosen, o)
		}
	}
	return chosen, false, nil
}

// readMask reads which of n outputs compete, in ascending order.
func readMask(path string, names []string, n int) ([]int, error) {
	text, err := regular.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var entries []any
	if text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff"))); bytes.HasPrefix(text, []byte("[")) {
		if err := json.Unmarshal(text, &entries); err != nil {
			return nil, fmt.Errorf("is no JSON list: %w", err)
		}
	} else {
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" {
				entries = append(entries, line)
			}
		}
	}
	var list []int
	for i, e := range entries {
		if flag, ok := e.(bool); ok {
			if len(entries) != n {
				return nil, fmt.Errorf("has %d flags for %d outputs", len(entries), n)
			}
			if flag {
				list = append(list, i)
			}
			continue
		}
		at, err := outputOf(e, names, n)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		list = append(list, at)
	}
	slices.Sort(list)
	if list = slices.Compact(list); len(list) == 0 {
		return nil, fmt.Errorf("names no output")
	}
	return list, nil
}

// outputOf finds an output by its name or number.
func outputOf(entry any, names []string, n int) (int, error) {
	text := fmt.Sprint(entry)
	if at := slices.Index(names, text); at >= 0 {
		return at, nil
	}
	at, err := strconv.Atoi(text)
	switch {
	case err == nil && at >= 0 && at < n:
		return at, nil
	case err == nil:
		return 0, fmt.Errorf("%s: there are outputs 0 to %d", text, n-1)
	case names == nil:
		return 0, fmt.Errorf("%q: the classifier's file has no names of classes: give them with --class-names", text)
	}
	return 0, fmt.Errorf("%q is no class of the classifier", text)
}
