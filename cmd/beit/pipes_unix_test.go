//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A named pipe that nobody writes to is refused wherever a command opens a file: none of these waits.
func TestNamedPipes(t *testing.T) {
	r, dir := trainedRuns(t), t.TempDir()
	pipe, good := filepath.Join(dir, "pipe.png"), filepath.Join(dir, "few")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	writeImages(t, dir, map[string]int{"few": 2})
	for _, args := range [][]string{
		{"predict", r.classifier, pipe}, {"predict", r.classifier, pipe, good}, {"similar", r.backbone, pipe, good}, {"predict", pipe, good}, {"embed", pipe, good},
		{"inspect", pipe}, {"verify", pipe}, {"convert", pipe, filepath.Join(dir, "x.safetensors"), "--to", "timm"}, {"eval", pipe, "--data", good},
		{"finetune", "--data", good, "--config", pipe, "--out", filepath.Join(dir, "a")}, {"finetune", "--data", good, "--init-from", pipe, "--out", filepath.Join(dir, "b")},
		{"pretrain", "--data", good, "--tokenizer", pipe, "--out", filepath.Join(dir, "c")},
		{"tokenizer", "train", "--data", good, "--teacher", "clip", "--teacher-file", pipe, "--out", filepath.Join(dir, "d")},
		{"predict", r.classifier, good, "--class-names", pipe}, {"eval", r.classifier, "--data", good, "--class-mask", pipe}, {"pull", "beitv2_base_patch16_224_pt1k.pth", "--out", pipe},
	} {
		status, out, messages := beitRun(t, args...)
		if status == statusOK || !strings.Contains(messages, "not a regular file") {
			t.Errorf("beit %q: status %d, output %q, messages %q", args, status, out, messages)
		}
	}
}
