package train

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// halfway is a run that was stopped in the middle of its second epoch.
func halfway(t *testing.T, cfg Config) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	stopped(t, "train", 7, func(ctx context.Context, env Env) error { _, err := Run(ctx, dir, cfg, env); return err })
	return dir
}

// TestDamagedMetrics: a line that cannot be read costs that line alone.
func TestDamagedMetrics(t *testing.T) {
	dir := halfway(t, tiny(t, Tokenizer))
	name := filepath.Join(dir, metricsFile)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	damaged := append([]byte("{\"kind\":\n"), bytes.Join(lines[1:], nil)...)
	if err := os.WriteFile(name, append(damaged, `{"kind":"st`...), 0o666); err != nil {
		t.Fatal(err)
	}
	s := &stopper{}
	if _, err := Resume(context.Background(), dir, Env{Reporter: s}, nil); err != nil {
		t.Fatal(err)
	}
	if len(s.warnings) != 1 || !strings.Contains(s.warnings[0], "line 1") {
		t.Errorf("warnings %q, want one about line 1", s.warnings)
	}
	after, err := os.ReadFile(name)
	if err != nil || !bytes.HasPrefix(after, bytes.Join(lines[1:], nil)) {
		t.Errorf("metrics were\n%s\nand became\n%s(error %v)", text, after, err)
	}
}

// rewritten writes a checkpoint again with counters in which a part of the text was exchanged.
func rewritten(t *testing.T, name, old, text string) {
	t.Helper()
	edited(t, name, func(meta map[string]string, _ []state.Named) {
		changed := strings.Replace(meta[metaCounters], old, text, 1)
		if changed == meta[metaCounters] {
			t.Fatalf("no %s in %s", old, changed)
		}
		meta[metaCounters] = changed
	})
}

// edited writes a checkpoint again with what edit made of it.
func edited(t *testing.T, name string, edit func(meta map[string]string, list []state.Named)) {
	t.Helper()
	f, err := state.OpenSafetensors(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	meta := f.Metadata()
	var list []state.Named
	for _, n := range f.Names() {
		e, _ := f.Entry(n)
		named := state.Named{Name: n, DType: e.DType, Shape: e.Shape}
		if e.DType == state.I32 {
			wide, err := f.Int64s(n)
			if err != nil {
				t.Fatal(err)
			}
			named.Int32s = make([]int32, len(wide))
			for i, v := range wide {
				named.Int32s[i] = int32(v)
			}
		} else if named.Float32s, err = f.Float32s(n); err != nil {
			t.Fatal(err)
		}
		list = append(list, named)
	}
	edit(meta, list)
	var out bytes.Buffer
	if err := state.WriteSafetensors(&out, meta, list); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestImpossibleCounters: what cannot be is refused in one line that says how to go on.
func TestImpossibleCounters(t *testing.T) {
	dir := halfway(t, tiny(t, Tokenizer))
	list, err := checkpoints(dir)
	if err != nil || len(list) != 2 {
		t.Fatalf("checkpoints %v, error %v", list, err)
	}
	good, err := os.ReadFile(list[1])
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string) {
		_, err := Resume(context.Background(), dir, Env{}, nil)
		if err == nil || !strings.Contains(err.Error(), "remove this file") || !strings.Contains(err.Error(), list[1]) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", what, err)
		}
		if err := os.WriteFile(list[1], good, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range [][2]string{
		{`{"step":7`, `{"step":1000000007`}, {`"step":7,`, `"step":-7,`}, {`"closed":1`, `"closed":99`},
		{`"closed":1`, `"closed":3689348814741910324`}, // times 5 updates it is 4 in 64 bits
		{`"next":0`, `"next":1000000000`}, {`"max_used":`, `"max_used":"all","was":`}, {`{"step":7,"c`, `"step":7,"c`},
		{`"adamw":7`, `"adamw":"seven"`}, {`"adamw":7`, `"adamw":-1`}, {`"adamw":7`, `"adamw":8`},
		{`"seen":7`, `"seen":-7`}, {`"seen":7`, `"seen":0`},
		{`"interval":{`, `"interval":{"none":null,`}, {`"epoch":{`, `"epoch":{"none":null,`},
	} {
		rewritten(t, list[1], c[0], c[1])
		refused(c[1] + " for " + c[0])
	}
	edited(t, list[1], func(_ map[string]string, all []state.Named) {
		i := slices.IndexFunc(all, func(n state.Named) bool { return n.Name == tensorRing })
		ring := &all[i]
		ring.Shape, ring.Float32s = []int{ring.Shape[0] - 1, ring.Shape[1]}, ring.Float32s[ring.Shape[1]:]
	})
	refused("a ring without its first row")

	absent := filepath.Join(t.TempDir(), "absent")
	if err := os.CopyFS(absent, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{`"interval":`, `"epoch":`} {
		rewritten(t, filepath.Join(absent, checkpointDir, filepath.Base(list[1])), name, `"was`+name[1:])
	}
	if _, err := Resume(context.Background(), absent, Env{}, nil); err != nil {
		t.Errorf("without means: %v", err)
	}
	if err := os.Remove(list[1]); err != nil { // as the message says
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), dir, Env{}, nil); err != nil {
		t.Error(err)
	}
}

// TestResumeWithAnotherSource: a tokenizer or teacher may move, but not change.
func TestResumeWithAnotherSource(t *testing.T) {
	tok := tokenizerRun(t)
	other := filepath.Join(t.TempDir(), "other")
	if _, err := Run(context.Background(), other, tiny(t, Tokenizer, "seed=5"), Env{}); err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(tok, moved); err != nil {
		t.Fatal(err)
	}
	dir := halfway(t, tiny(t, Pretrain, "pretrain.tokenizer="+moved))
	back := filepath.Join(t.TempDir(), "back")
	if err := os.CopyFS(back, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	_, err := Resume(context.Background(), dir, Env{}, []string{"pretrain.tokenizer=" + other})
	if err == nil || !strings.Contains(err.Error(), "another tokenizer") {
		t.Errorf("other tokenizer: error %v", err)
	}
	if err := os.Rename(moved, tok); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), dir, Env{}, []string{"pretrain.tokenizer=" + tok}); err != nil {
		t.Errorf("moved tokenizer: %v", err)
	}

	run := halfway(t, tiny(t, Tokenizer, "tokenizer.teacher=run", "tokenizer.teacher_run="+dir))
	_, err = Resume(context.Background(), run, Env{}, []string{"tokenizer.teacher_run=" + back})
	if err == nil || !strings.Contains(err.Error(), "another teacher") {
		t.Errorf("other teacher: error %v", err)
	}
	if _, err := Resume(context.Background(), run, Env{}, nil); err != nil {
		t.Errorf("same teacher: %v", err)
	}
}

func TestResumeWithoutCheckpoint(t *testing.T) {
	cfg := tiny(t, Tokenizer)
	dir := filepath.Join(t.TempDir(), "run")
	stopped(t, "teacher", 1, func(ctx context.Context, env Env) error { _, err := Run(ctx, dir, cfg, env); return err })
	s := &stopper{}
	if _, err := Resume(context.Background(), dir, Env{Reporter: s}, nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(s.notices, "\n"), "no checkpoint") {
		t.Errorf("notices %q, want one that says that the run starts anew", s.notices)
	}
}

func TestShuffleReadable(t *testing.T) {
	codes := []int32{-1, -1, 3, 4, 5, 6, -1, -1, 7, 8, 9, 10}
	shuffleReadable(codes, tensor.NewRand(1))
	counts := map[int32]int{}
	for i, c := range codes {
		counts[c]++
		if unreadable := i < 2 || i == 6 || i == 7; unreadable != (c < 0) {
			t.Errorf("code %d at %d", c, i)
		}
	}
	if d := cmp.Diff(map[int32]int{-1: 4, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1}, counts); d != "" {
		t.Errorf("codes (-want +got):\n%s", d)
	}
}
