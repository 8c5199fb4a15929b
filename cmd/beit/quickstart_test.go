package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Package experiment tests the quickstart itself, which takes minutes here. This is what surrounds it.
func TestQuickstartInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var o, e bytes.Buffer
	if status := execute(ctx, []string{"quickstart"}, &o, &e); status != statusInterrupted {
		t.Errorf("interrupted at once: status %d, messages %q", status, e.String())
	}
	dir := filepath.Join("runs", "mine")
	status := execute(ctx, []string{"quickstart", "--out", dir}, &o, &e)
	if status != statusInterrupted || !strings.Contains(e.String(), "continue with: beit quickstart --out "+dir+"\n") {
		t.Errorf("interrupted: status %d, messages %q", status, e.String())
	}
	if status, _, _ := beitRun(t, "quickstart", "--rounds", "2"); status != statusUsage {
		t.Errorf("a flag that there is not: status %d", status)
	}
	if err := os.WriteFile("file", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if status, _, errOut := beitRun(t, "quickstart", "--out", "file"); status == 0 || strings.Count(errOut, "\n") != 1 {
		t.Errorf("a file in place of the folder: status %d, messages %q", status, errOut)
	}
}
