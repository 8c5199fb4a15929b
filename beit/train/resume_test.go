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

	"github.com/gobeit/gobeit/beit/cae"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/beit/splitmask"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// resumable are configurations whose resumption exercises everything that a checkpoint must hold, of each method.
func resumable(t *testing.T) map[*method.Method]*config.Config {
	tok := tokenizerRun(t)
	return map[*method.Method]*config.Config{
		tokenizer.Method: tiny(t, tokenizer.Method, "log.every=3", "train.accumulation_steps=2"),
		dino.Method:      tiny(t, dino.Method, "log.every=3", "train.accumulation_steps=2", "dino.model.vit.drop_path=0.2"),
		pretrain.Method:  tiny(t, pretrain.Method, "log.every=3", "pretrain.tokenizer="+tok),
		cae.Method:       tiny(t, cae.Method, "log.every=3", "train.accumulation_steps=2", "cae.tokenizer="+tok),
		splitmask.Method: tiny(t, splitmask.Method, "log.every=3", "train.accumulation_steps=2", "splitmask.tokenizer="+tok),
		mae.Method:       tiny(t, mae.Method, "log.every=3", "train.accumulation_steps=2"),
		finetune.Method: tiny(t, finetune.Method, "log.every=3", "train.accumulation_steps=2", "finetune.mixup=0.8", "finetune.cutmix=1",
			"finetune.ema=0.9"),
		segment.Method: tiny(t, segment.Method, "log.every=3", "train.accumulation_steps=2", "segment.class_weights=effective"),
	}
}

// All methods are tested.
func TestResumableNamesAllMethods(t *testing.T) {
	all := resumable(t)
	for _, m := range model.Methods() {
		if all[m] == nil {
			t.Errorf("method %s is missing", m.Name)
		}
	}
}

func TestResumeGivesTheSameBytes(t *testing.T) {
	for m, cfg := range resumable(t) {
		t.Run(m.Name, func(t *testing.T) {
			whole := trained(t, m, cfg, Env{}).Dir
			want := traintest.Contents(t, whole, m)
			for step := 1; step < 10; step++ {
				if testing.Short() && step%5 != 2 {
					continue
				}
				dir := newDir(t)
				stopIn(t, dir, m, cfg, "train", step)
				if _, err := resumed(dir, Env{}); err != nil {
					t.Fatalf("resumed after step %d: %v", step, err)
				}
				if d := traintest.Differing(want, traintest.Contents(t, dir, m)); d != nil {
					t.Errorf("stopped after step %d: different %v", step, d)
				}
			}
		})
	}
}

func TestResumeAfterSeveralStops(t *testing.T) {
	m := tokenizer.Method
	cfg := tiny(t, m, "log.every=3", "train.accumulation_steps=2")
	whole, dir := trained(t, m, cfg, Env{}).Dir, newDir(t)
	stopIn(t, dir, m, cfg, "k-means", 64)
	if list := traintest.Checkpoints(t, dir); len(list) != 0 {
		t.Fatalf("%d checkpoints before the first step", len(list))
	}
	stopAgain(t, dir, "teacher", 1)
	for _, step := range []int{2, 4, 7} {
		stopAgain(t, dir, "train", step)
	}
	stopAgain(t, dir, "validate", 1)
	mustResume(t, dir, Env{})
	sameRuns(t, "stopped six times", whole, dir, m)

	// A finished run has nothing left to do.
	before := traintest.Contents(t, dir, m)
	mustResume(t, dir, Env{})
	if d := traintest.Differing(before, traintest.Contents(t, dir, m)); d != nil {
		t.Errorf("resuming a finished run changed %v", d)
	}
}

// errKilled stands for the end of the process: what was being written stays behind as a temporary file.
var errKilled = errors.New("killed")

// killer writes like state.WriteFileAtomic until the given write, of which it leaves half.
func killer(at int) run.WriteFunc {
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

// freshWith begins a run whose files are written by write, and returns how it ended.
func freshWith(t *testing.T, dir string, m *method.Method, cfg *config.Config, write run.WriteFunc) error {
	t.Helper()
	l, err := newLoop(t.Context(), dir, m, cfg.Clone(), opening(Env{}), write)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	_, err = l.fresh(context.Background())
	return err
}

func TestKilledWhileWriting(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many models")
	}
	m := tokenizer.Method
	cfg := tiny(t, m, "log.checkpoint=3")
	whole := trained(t, m, cfg, Env{}).Dir
	for at := 2; ; at++ { // the first write is config.toml
		dir := newDir(t)
		err := freshWith(t, dir, m, cfg, killer(at))
		if err == nil {
			if at < 10 { // config, metrics, events, checkpoints after steps 3, 5, 6, 9, 10, and the model
				t.Fatalf("the run wrote %d files only", at-1)
			}
			return
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		// A line of metrics that was cut short, too.
		f, err := os.OpenFile(filepath.Join(dir, run.MetricsFile), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		f.WriteString(`{"epoch":1,"kind":"st`)
		f.Close()
		if _, err := resumed(dir, Env{}); err != nil {
			t.Fatalf("killed in write %d: %v", at, err)
		}
		sameRuns(t, fmt.Sprintf("killed in write %d", at), whole, dir, m)
		for _, sub := range []string{".", run.CheckpointDir} {
			if left, _ := filepath.Glob(filepath.Join(dir, sub, ".tmp-*")); len(left) != 0 {
				t.Errorf("killed in write %d: %v left behind", at, left)
			}
		}
	}
}

func TestFullDisk(t *testing.T) {
	dir := newDir(t)
	writes := 0
	full := func(path string, write func(w io.Writer) error) error {
		if writes++; writes < 5 { // config, metrics, events, first checkpoint
			return state.WriteFileAtomic(path, write)
		}
		return state.WriteFileAtomic(path, func(w io.Writer) error { return write(shortWriter{}) })
	}
	err := freshWith(t, dir, tokenizer.Method, tiny(t, tokenizer.Method), full)
	if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "step-000000010") {
		t.Fatalf("error %v, want one line that wraps ENOSPC and names the checkpoint", err)
	}
	if list := traintest.Checkpoints(t, dir); len(list) != 1 || !strings.HasSuffix(list[0], "step-000000005.safetensors") {
		t.Fatalf("checkpoints %v, want that of step 5", list)
	}
	mustResume(t, dir, Env{})
}

type shortWriter struct{}

func (shortWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestDamagedCheckpointIsLeftOut(t *testing.T) {
	m := tokenizer.Method
	dir := trained(t, m, tiny(t, m), Env{}).Dir
	want := traintest.Contents(t, dir, m)
	list := traintest.Checkpoints(t, dir)
	if len(list) != 2 {
		t.Fatalf("checkpoints %v", list)
	}
	damages := map[string]func(name string){
		"cut short": func(name string) {
			if err := os.Truncate(name, 1000); err != nil {
				t.Fatal(err)
			}
		},
		"a flipped bit": func(name string) { traintest.FlipBit(t, name, 0.5) },
	}
	for what, damage := range damages {
		damage(list[1])
		heard := &traintest.Reporter{}
		mustResume(t, dir, Env{Reporter: heard})
		if len(heard.Warnings) != 1 || !strings.Contains(heard.Warnings[0], filepath.Base(list[1])) {
			t.Errorf("%s: warnings %q, want one about %s", what, heard.Warnings, list[1])
		}
		if d := traintest.Differing(want, traintest.Contents(t, dir, m)); d != nil {
			t.Errorf("%s: different %v", what, d)
		}
	}
	for _, name := range list {
		damages["cut short"](name)
	}
	if _, err := resumed(dir, Env{}); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("no checkpoint can be read: error %v, want one line", err)
	}
}

// One run at a time has a folder, from its first file to its last.
func TestTwoRunsInOneFolder(t *testing.T) {
	m := tokenizer.Method
	dir, cfg := newDir(t), tiny(t, m, "train.epochs=1")
	held, err := run.Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if again, err := run.Claim(dir); err == nil {
		again.Close()
		t.Skip("folders cannot be locked here")
	}
	under := func(err error) bool { return err != nil && strings.Contains(err.Error(), "a run is under way in "+dir) }
	if _, err := Run(context.Background(), dir, m, cfg, opening(Env{})); !under(err) {
		t.Errorf("begun in a folder that another run has: error %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, run.ConfigFile), []byte(cfg.TOML()), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := resumed(dir, Env{}); !under(err) {
		t.Errorf("resumed while it is under way: error %v", err)
	}
	held.Close()
	if _, err := resumed(dir, Env{}); err != nil {
		t.Errorf("resumed after its end: %v", err)
	}
	if again, err := run.Claim(dir); err != nil {
		t.Errorf("a finished run still has its folder: %v", err)
	} else {
		again.Close()
	}
}

func TestResumeRefusesChanges(t *testing.T) {
	m := tokenizer.Method
	cfg, dir := tiny(t, m), newDir(t)
	stopIn(t, dir, m, cfg, "train", 3)
	_, err := resumed(dir, Env{}, "train.lr=0.5", "tokenizer.reseed=false", "log.keep=9")
	if err == nil || !strings.Contains(err.Error(), "train.lr, tokenizer.reseed;") || strings.Contains(err.Error(), "log.keep") {
		t.Errorf("changed keys: error %v", err)
	}
	if _, err := resumed(dir, Env{}, "data.path=procedural:41"); err == nil || !strings.Contains(err.Error(), "41 training images") {
		t.Errorf("other images: error %v", err)
	}
	if _, err := Run(context.Background(), dir, m, cfg, opening(Env{})); err == nil || !strings.Contains(err.Error(), "already holds a run") {
		t.Errorf("a second run in one folder: error %v", err)
	}
	if _, err := resumed(t.TempDir(), Env{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no run folder: error %v", err)
	}
	if _, err := resumed(dir, Env{}, "log.keep=9", "data.max_unreadable=0.7", "train.checkpoint_activations=true"); err != nil {
		t.Errorf("resumable keys: %v", err)
	}
	if _, c, err := model.ReadConfig(dir); err != nil || c.Log.Keep != 9 || !c.Train.CheckpointActivations {
		t.Errorf("config.toml after a change of resumable keys: %+v, error %v", c, err)
	}
}

func TestThreadsDoNotMatter(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many models")
	}
	defer tensor.SetThreads(tensor.Threads())
	for m, cfg := range resumable(t) {
		t.Run(m.Name, func(t *testing.T) {
			var want map[string]string
			for _, threads := range []int{1, 2, 5} {
				tensor.SetThreads(threads)
				got := traintest.Contents(t, trained(t, m, cfg, Env{}).Dir, m)
				if want == nil {
					want = got
				}
				if d := traintest.Differing(want, got); d != nil {
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
	m := tokenizer.Method
	cfg := tiny(t, m, "train.epochs=60", "log.eval_every=100", "log.every=50", "tokenizer.model.codes=128")
	whole, dir := trained(t, m, cfg, Env{}).Dir, newDir(t)
	stopIn(t, dir, m, cfg, "train", 193)
	mustResume(t, dir, Env{})
	sameRuns(t, "stopped before codes are replaced", whole, dir, m)
	replaced := map[int]float64{}
	for _, r := range traintest.Metrics(t, whole) {
		if r.Kind == run.KindStep && r.Values["reseeded"] > 0 {
			replaced[r.Step] = r.Values["reseeded"]
		}
	}
	if replaced[200] == 0 || replaced[300] != 0 {
		t.Errorf("codes replaced by step: %v, want some at 200 and none in the last quarter", replaced)
	}
}

// TestKilledProcess ends another process by SIGKILL while it trains.
func TestKilledProcess(t *testing.T) {
	m := tokenizer.Method
	if dir := os.Getenv("BEIT_TRAIN_DIR"); dir != "" { // in that process
		_, err := Run(context.Background(), dir, m, tiny(t, m, "train.epochs=8", "log.checkpoint=1"), opening(Env{}))
		t.Fatalf("the run ended before it was killed: error %v", err)
	}
	if testing.Short() {
		t.Skip("-short: trains in processes that are killed")
	}
	whole := trained(t, m, tiny(t, m, "train.epochs=8", "log.checkpoint=1"), Env{}).Dir
	for _, sign := range []string{run.ConfigFile, run.MetricsFile, filepath.Join(run.CheckpointDir, run.CheckpointName(17))} {
		dir := newDir(t)
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
		if s, err := run.ReadStatus(dir); err == nil && s.State != run.StateKilled {
			t.Errorf("killed when there was %s: status %+v", sign, s)
		}
		if _, err := resumed(dir, Env{}); err != nil {
			t.Fatalf("killed when there was %s: %v", sign, err)
		}
		sameRuns(t, "killed when there was "+sign, whole, dir, m)
	}
}

// A resumed run is refused a value that no run may have, of keys too that it may change, and loses no checkpoint over it.
func TestResumeChecksFreeKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	cfg := tiny(t, tokenizer.Method)
	stopped(t, "train", 3, func(ctx context.Context, env Env) error {
		_, err := Run(ctx, dir, tokenizer.Method, cfg, env)
		return err
	})
	before := traintest.Checkpoints(t, dir)
	if _, err := Resume(t.Context(), dir, model.Methods(), opening(Env{}), []string{"log.keep=0"}); err == nil || !strings.Contains(err.Error(), "log.keep = 0") {
		t.Errorf("error %v", err)
	}
	if after := traintest.Checkpoints(t, dir); len(before) == 0 || len(after) != len(before) {
		t.Errorf("%d checkpoints of %d are left", len(after), len(before))
	}
}
