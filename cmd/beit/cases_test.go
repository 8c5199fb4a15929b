package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gobeit/gobeit/beit/casestest"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// Commands meet names and files from the field.
func TestCasesCommands(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("the cases are command lines for sh: ", err)
	}
	tried := 0
	for _, c := range casestest.All(t) {
		if c.Command == "" || c.Expected.Output == "" && c.Expected.RC == "" {
			continue
		}
		tried++
		t.Run(c.Name, func(t *testing.T) {
			r := runCase(t, shell, c)
			for _, text := range []string{r.out, r.errOut} {
				if shown := plain.Lines(text); shown != text {
					t.Errorf("a terminal would get %q", text)
				}
			}
			if c.Expected.RC != "" {
				r.checkStatus(t, c.Expected)
			} else {
				r.checkImages(t, c)
			}
		})
	}
	if tried == 0 && os.Getenv("BEIT_CASES") == "" {
		t.Error("no case says what a command prints")
	}
}

// caseRun is what a command line of a case did.
type caseRun struct {
	status      int
	out, errOut string
	file        string // that FILE stood for
}

// runCase runs the command line of a case in a folder of its own, beside its input. There beit is this program, CLASSIFIER, BACKBONE and TOKENIZER
// are trained runs, and FILE is a file of the input.
func runCase(t *testing.T, shell string, c casestest.Case) (r caseRun) {
	t.Helper()
	dir, bin := t.TempDir(), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := fmt.Sprintf("#!/bin/sh\nBEIT_TEST_COMMAND=1 exec '%s' \"$@\"\n", self)
	if err := os.WriteFile(filepath.Join(bin, "beit"), []byte(command), 0o777); err != nil {
		t.Fatal(err)
	}
	runs := trainedRuns(t)
	for name, target := range map[string]string{c.Input: c.Path(), "CLASSIFIER": runs.classifier, "BACKBONE": runs.backbone, "TOKENIZER": runs.tokenizer} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if files := filesBelow(t, c.Path()); len(files) > 0 {
		r.file = filepath.Join(c.Input, files[0])
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errOut bytes.Buffer
	cmd := exec.CommandContext(ctx, shell, "-c", strings.ReplaceAll(c.Command, "FILE", `"$FILE"`))
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errOut
	cmd.Env = append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "FILE="+r.file)
	_ = cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%s: %v, output %q, messages %q", c.Command, ctx.Err(), out.String(), errOut.String())
	}
	r.status, r.out, r.errOut = cmd.ProcessState.ExitCode(), out.String(), errOut.String()
	return r
}

// filesBelow lists the regular files below a folder.
func filesBelow(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			path, err = filepath.Rel(dir, path)
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var numbers = regexp.MustCompile(`\b\d{1,3}\b`)

// checkStatus compares the status that the command line printed last. A failure by itself says that the file is no regular one.
func (r caseRun) checkStatus(t *testing.T, want casestest.Expected) {
	t.Helper()
	lines := strings.Fields(r.out)
	if len(lines) == 0 || !slices.Contains(numbers.FindAllString(want.RC, -1), lines[len(lines)-1]) {
		t.Fatalf("output %q, messages %q: want a status of %q", r.out, r.errOut, want.RC)
	}
	if lines[len(lines)-1] == "1" && !strings.Contains(r.errOut, "not a regular file") {
		t.Errorf("messages %q do not say that it is no regular file", r.errOut)
	}
}

// checkImages wants a line with each image's name, or a message about names that are not UTF-8.
func (r caseRun) checkImages(t *testing.T, c casestest.Case) {
	t.Helper()
	want := filesBelow(t, c.Path())
	if strings.Contains(c.Command, "FILE") {
		want = []string{r.file}
	}
	if r.status != 0 {
		bad := slices.ContainsFunc(want, func(name string) bool { return !utf8.ValidString(name) })
		if !bad || !strings.Contains(r.errOut, "not UTF-8") {
			t.Errorf("status %d, messages %q", r.status, r.errOut)
		}
		return
	}
	for _, name := range want {
		if strings.Count(r.out, plain.Text(name)+"\n") != 1 {
			t.Errorf("output %q has no line for %q", r.out, name)
		}
	}
}
