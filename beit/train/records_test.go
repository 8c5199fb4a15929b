package train

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A run that died after the records of an epoch and before its checkpoint, and goes on from one that was left in the middle of the
// epoch's validation, has these records once.
func TestRecordsOfAnOpenEpoch(t *testing.T) {
	whole, dir := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "parts")
	cfg := tiny(t, Tokenizer)
	if _, err := Run(context.Background(), whole, cfg, Env{}); err != nil {
		t.Fatal(err)
	}
	stopped(t, "validate", 1, func(ctx context.Context, env Env) error {
		_, err := Run(ctx, dir, cfg, env)
		return err
	})
	name := filepath.Join(dir, metricsFile)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, `{"kind":"epoch","epoch":1,"step":5,"loss":1}`+"\n"+`{"kind":"val","epoch":1,"step":5,"rec_loss":1}`+"\n"...)
	if err := os.WriteFile(name, text, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), dir, Env{}, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string(nil), differing(contents(t, whole, Tokenizer), contents(t, dir, Tokenizer))); diff != "" {
		t.Error(diff)
	}
}
