package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// resumable are configurations whose resumption exercises everything that a checkpoint must hold.
func resumable(t *testing.T) map[string]Config {
	tok := tokenizerRun(t)
	return map[string]Config{
		"tokenizer": tiny(t, Tokenizer, "log.every=3", "train.accum=2"),
		"teacher":   tiny(t, Teacher, "log.every=3", "train.accum=2", "teacher.model.vit.drop_path=0.2"),
		"pretrain":  tiny(t, Pretrain, "log.every=3", "pretrain.tokenizer="+tok),
		"finetune":  tiny(t, Finetune, "log.every=3", "train.accum=2", "finetune.mixup=0.8", "finetune.cutmix=1", "finetune.ema=0.9"),
	}
}

func TestResumeGivesTheSameBytes(t *testing.T) {
	for name, cfg := range resumable(t) {
		t.Run(name, func(t *testing.T) {
			whole := filepath.Join(t.TempDir(), "whole")
			if _, err := Run(context.Background(), whole, cfg, Env{}); err != nil {
				t.Fatal(err)
			}
			want := contents(t, whole, cfg.Stage)
			for step := 1; step < 10; step++ {
				if testing.Short() && step%5 != 2 {
					continue
				}
				dir := filepath.Join(t.TempDir(), "parts")
				stopped(t, "train", step, func(ctx context.Context, env Env) error {
					_, err := Run(ctx, dir, cfg, env)
					return err
				})
				if _, err := Resume(context.Background(), dir, Env{}, nil); err != nil {
					t.Fatalf("resumed after update %d: %v", step, err)
				}
				if d := differing(want, contents(t, dir, cfg.Stage)); d != nil {
					t.Errorf("stopped after update %d: different %v", step, d)
				}
			}
		})
	}
}

func TestResumeAfterSeveralStops(t *testing.T) {
	cfg := resumable(t)["tokenizer"]
	whole := filepath.Join(t.TempDir(), "whole")
	if _, err := Run(context.Background(), whole, cfg, Env{}); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "parts")
	stopped(t, "k-means", 64, func(ctx context.Context, env Env) error { _, err := Run(ctx, dir, cfg, env); return err })
	if list, _ := checkpoints(dir); len(list) != 0 {
		t.Fatalf("%d checkpoints before the first update", len(list))
	}
	stopped(t, "teacher", 1, func(ctx context.Context, env Env) error { _, err := Resume(ctx, dir, env, nil); return err })
	for _, step := range []int{2, 4, 7} {
		stopped(t, "train", step, func(ctx context.Context, env Env) error { _, err := Resume(ctx, dir, env, nil); return err })
	}
	stopped(t, "validate", 1, func(ctx context.Context, env Env) error { _, err := Resume(ctx, dir, env, nil); return err })
	if _, err := Resume(context.Background(), dir, Env{}, nil); err != nil {
		t.Fatal(err)
	}
	if d := differing(contents(t, whole, Tokenizer), contents(t, dir, Tokenizer)); d != nil {
		t.Errorf("different %v", d)
	}
	// A finished run has nothing left to do.
	before := contents(t, dir, Tokenizer)
	if _, err := Resume(context.Background(), dir, Env{}, nil); err != nil {
		t.Fatal(err)
	}
	if d := differing(before, contents(t, dir, Tokenizer)); d != nil {
		t.Errorf("resuming a finished run changed %v", d)
	}
}

// errKilled stands for the end of the process: what was being written stays behind as a temporary file.
var errKilled = errors.New("killed")

// killer writes like state.WriteFileAtomic until the given write, of which it leaves half.
func killer(at int) writeFunc {
	n := 0
	return func(path string, write func(w io.Writer) error) error {
		if n++; n < at {
			return state.WriteFileAtomic(path, write)
		}
		var whole bytes.Buffer
		if err := write(&whole); err != nil {
			return err
		}
		half := whole.Bytes()[:whole.Len()/2]
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), fmt.Sprintf(".tmp-%016x", n)), half, 0o666); err != nil {
			return err
		}
		return errKilled
	}
}

func TestKilledWhileWriting(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many models")
	}
	cfg := tiny(t, Tokenizer, "log.checkpoint=3")
	whole := filepath.Join(t.TempDir(), "whole")
	if _, err := Run(context.Background(), whole, cfg, Env{}); err != nil {
		t.Fatal(err)
	}
	want := contents(t, whole, Tokenizer)
	for at := 2; ; at++ { // the first write is config.toml
		dir := filepath.Join(t.TempDir(), "run")
		r, err := newRun(dir, cfg, Env{}, killer(at))
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.fresh(context.Background())
		r.close()
		if err == nil {
			if at < 7 { // config, metrics, checkpoints after updates 3, 5, 6, 9, 10, and the model
				t.Fatalf("the run wrote %d files only", at-1)
			}
			return
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		// A line of metrics that was cut short, too.
		f, err := os.OpenFile(filepath.Join(dir, metricsFile), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		f.WriteString(`{"epoch":1,"kind":"st`)
		f.Close()
		if _, err := Resume(context.Background(), dir, Env{}, nil); err != nil {
			t.Fatalf("killed in write %d: %v", at, err)
		}
		if d := differing(want, contents(t, dir, Tokenizer)); d != nil {
			t.Errorf("killed in write %d: different %v", at, d)
		}
		for _, sub := range []string{".", checkpointDir} {
			if left, _ := filepath.Glob(filepath.Join(dir, sub, ".tmp-*")); len(left) != 0 {
				t.Errorf("killed in write %d: %v left behind", at, left)
			}
		}
	}
}

func TestFullDisk(t *testing.T) {
	cfg := tiny(t, Tokenizer)
	dir := filepath.Join(t.TempDir(), "run")
	writes := 0
	full := func(path string, write func(w io.Writer) error) error {
		if writes++; writes < 5 { // config, metrics, events, first checkpoint
			return state.WriteFileAtomic(path, write)
		}
		return state.WriteFileAtomic(path, func(w io.Writer) error { return write(shortWriter{}) })
	}
	r, err := newRun(dir, cfg, Env{}, full)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.fresh(context.Background())
	r.close()
	if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "step-000000010") {
		t.Fatalf("error %v, want one line that wraps ENOSPC and names the checkpoint", err)
	}
	list, err := checkpoints(dir)
	if err != nil || len(list) != 1 || !strings.HasSuffix(list[0], "step-000000005.safetensors") {
		t.Fatalf("checkpoints %v, error %v: want that of update 5", list, err)
	}
	if _, err := Resume(context.Background(), dir, Env{}, nil); err != nil {
		t.Fatal(err)
	}
}

type shortWriter struct{}

func (shortWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestDamagedCheckpointIsLeftOut(t *testing.T) {
	cfg := tiny(t, Tokenizer)
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := Run(context.Background(), dir, cfg, Env{}); err != nil {
		t.Fatal(err)
	}
	want := contents(t, dir, Tokenizer)
	list, err := checkpoints(dir)
	if err != nil || len(list) != 2 {
		t.Fatalf("checkpoints %v, error %v", list, err)
	}
	if err := os.Truncate(list[1], 1000); err != nil {
		t.Fatal(err)
	}
	s := &stopper{}
	if _, err := Resume(context.Background(), dir, Env{Reporter: s}, nil); err != nil {
		t.Fatal(err)
	}
	if len(s.warnings) != 1 || !strings.Contains(s.warnings[0], filepath.Base(list[1])) {
		t.Errorf("warnings %q, want one about %s", s.warnings, list[1])
	}
	if d := differing(want, contents(t, dir, Tokenizer)); d != nil {
		t.Errorf("different %v", d)
	}
	for _, name := range list {
		if err := os.Truncate(name, 1000); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Resume(context.Background(), dir, Env{}, nil); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("no checkpoint can be read: error %v, want one line", err)
	}
}

// A damaged checkpoint that a run passed over does not push out those that it made since.
func TestPruneLeavesOutLaterUpdates(t *testing.T) {
	r := &run{dir: t.TempDir()}
	r.at.Step, r.cfg.Log.Keep = 7, 2
	if err := os.Mkdir(filepath.Join(r.dir, checkpointDir), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, step := range []int{3, 5, 7, 10, 12} {
		if err := os.WriteFile(filepath.Join(r.dir, checkpointDir, fmt.Sprintf("step-%09d.safetensors", step)), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.prune(); err != nil {
		t.Fatal(err)
	}
	list, err := checkpoints(r.dir)
	if err != nil || len(list) != 2 || stepOf(list[0]) != 5 || stepOf(list[1]) != 7 {
		t.Errorf("checkpoints %v, error %v, want those of updates 5 and 7", list, err)
	}
}

// One run at a time has a folder, from its first file to its last.
func TestTwoRunsInOneFolder(t *testing.T) {
	dir, cfg := filepath.Join(t.TempDir(), "run"), tiny(t, Tokenizer, "train.epochs=1")
	held, err := claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if again, err := claim(dir); err == nil {
		again.Close()
		t.Skip("folders cannot be locked here")
	}
	under := func(err error) bool { return err != nil && strings.Contains(err.Error(), "a run is under way in "+dir) }
	if _, err := Run(context.Background(), dir, cfg, Env{}); !under(err) {
		t.Errorf("begun in a folder that another run has: error %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, configFile), []byte(cfg.TOML()), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), dir, Env{}, nil); !under(err) {
		t.Errorf("resumed while it is under way: error %v", err)
	}
	held.Close()
	if _, err := Resume(context.Background(), dir, Env{}, nil); err != nil {
		t.Errorf("resumed after its end: %v", err)
	}
	if again, err := claim(dir); err != nil {
		t.Errorf("a finished run still has its folder: %v", err)
	} else {
		again.Close()
	}
}

func TestResumeRefusesChanges(t *testing.T) {
	cfg := tiny(t, Tokenizer)
	dir := filepath.Join(t.TempDir(), "run")
	stopped(t, "train", 3, func(ctx context.Context, env Env) error { _, err := Run(ctx, dir, cfg, env); return err })
	_, err := Resume(context.Background(), dir, Env{}, []string{"train.lr=0.5", "tokenizer.reseed=false", "log.keep=9"})
	if err == nil || !strings.Contains(err.Error(), "train.lr, tokenizer.reseed;") || strings.Contains(err.Error(), "log.keep") {
		t.Errorf("changed keys: error %v", err)
	}
	if _, err := Resume(context.Background(), dir, Env{}, []string{"data.path=procedural:41"}); err == nil || !strings.Contains(err.Error(), "41 training pictures") {
		t.Errorf("other pictures: error %v", err)
	}
	if _, err := Run(context.Background(), dir, cfg, Env{}); err == nil || !strings.Contains(err.Error(), "already holds a run") {
		t.Errorf("a second run in one folder: error %v", err)
	}
	if _, err := Resume(context.Background(), t.TempDir(), Env{}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no run folder: error %v", err)
	}
	if _, err := Resume(context.Background(), dir, Env{}, []string{"log.keep=9", "data.unreadable=0.7"}); err != nil {
		t.Errorf("harmless change: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, configFile))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := parseConfig(text, "config"); err != nil || c.Log.Keep != 9 {
		t.Errorf("config.toml after a harmless change: log.keep = %d, error %v", c.Log.Keep, err)
	}
}

func TestThreadsDoNotMatter(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many models")
	}
	defer tensor.SetThreads(tensor.Threads())
	for name, cfg := range resumable(t) {
		t.Run(name, func(t *testing.T) {
			var want map[string]string
			for _, threads := range []int{1, 2, 5} {
				tensor.SetThreads(threads)
				dir := filepath.Join(t.TempDir(), "run")
				if _, err := Run(context.Background(), dir, cfg, Env{}); err != nil {
					t.Fatal(err)
				}
				got := contents(t, dir, cfg.Stage)
				if want == nil {
					want = got
				}
				if d := differing(want, got); d != nil {
					t.Errorf("%d threads: different %v", threads, d)
				}
			}
		})
	}
}

func TestResumeKeepsReseeding(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many models")
	}
	cfg := tiny(t, Tokenizer, "train.epochs=60", "log.eval_every=100", "log.every=50", "tokenizer.model.codes=128")
	whole, dir := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "parts")
	if _, err := Run(context.Background(), whole, cfg, Env{}); err != nil {
		t.Fatal(err)
	}
	stopped(t, "train", 193, func(ctx context.Context, env Env) error { _, err := Run(ctx, dir, cfg, env); return err })
	if _, err := Resume(context.Background(), dir, Env{}, nil); err != nil {
		t.Fatal(err)
	}
	if d := differing(contents(t, whole, Tokenizer), contents(t, dir, Tokenizer)); d != nil {
		t.Errorf("different %v", d)
	}
	records, err := ReadMetrics(whole)
	if err != nil {
		t.Fatal(err)
	}
	replaced := map[int]float64{}
	for _, r := range records {
		if r.Kind == KindStep && r.Values["reseeded"] > 0 {
			replaced[r.Step] = r.Values["reseeded"]
		}
	}
	if replaced[200] == 0 || replaced[300] != 0 {
		t.Errorf("codes replaced by update: %v, want some at 200 and none in the last quarter", replaced)
	}
}

// TestKilledProcess ends another process by SIGKILL while it trains.
func TestKilledProcess(t *testing.T) {
	if dir := os.Getenv("BEIT_TRAIN_DIR"); dir != "" { // in that process
		_, err := Run(context.Background(), dir, tiny(t, Tokenizer, "train.epochs=8", "log.checkpoint=1"), Env{})
		t.Fatalf("the run ended before it was killed: error %v", err)
	}
	if testing.Short() {
		t.Skip("-short: trains in processes that are killed")
	}
	cfg := tiny(t, Tokenizer, "train.epochs=8", "log.checkpoint=1")
	whole := filepath.Join(t.TempDir(), "whole")
	if _, err := Run(context.Background(), whole, cfg, Env{}); err != nil {
		t.Fatal(err)
	}
	want := contents(t, whole, Tokenizer)
	for _, sign := range []string{configFile, metricsFile, filepath.Join(checkpointDir, "step-000000017.safetensors")} {
		dir := filepath.Join(t.TempDir(), "run")
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$")
		cmd.Env = append(os.Environ(), "BEIT_TRAIN_DIR="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for wait := 0; ; wait++ {
			if _, err := os.Stat(filepath.Join(dir, sign)); err == nil {
				break
			}
			if wait == 20000 {
				t.Fatalf("%s did not appear", sign)
			}
			time.Sleep(time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the process was not killed")
		}
		if _, err := Resume(context.Background(), dir, Env{}, nil); err != nil {
			t.Fatalf("killed when there was %s: %v", sign, err)
		}
		if d := differing(want, contents(t, dir, Tokenizer)); d != nil {
			t.Errorf("killed when there was %s: different %v", sign, d)
		}
	}
}
