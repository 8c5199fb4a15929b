package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/tensor"
)

// beitRun carries out a command line in this process.
func beitRun(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	status = execute(t.Context(), args, &o, &e)
	return status, o.String(), e.String()
}

// Every mistake gives its status and one line on standard error that says what to do, and nothing on standard output.
func TestMistakes(t *testing.T) {
	empty, file := t.TempDir(), filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, []byte("not a model"), 0o666); err != nil {
		t.Fatal(err)
	}
	out, unlabelled := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "val", "class0")
	writeImages(t, filepath.Dir(filepath.Dir(unlabelled)), map[string]int{"val": 20})
	for _, c := range []struct {
		name   string
		args   string
		status int
		want   string
	}{
		{"command", "confg", 2, `no command "confg"; did you mean "config"?`},
		{"subcommand", "tokenizer trian", 2, `did you mean "tokenizer train"?`},
		{"no subcommand", "tokenizer", 2, "expected one of"},
		{"flag", "pretrain --resum x", 2, "did you mean --resume?"},
		{"flag without value", "pretrain --seed", 2, "--seed"},
		{"too many arguments", "version now", 2, "unexpected argument now"},
		{"device", "--device gnu version", 2, "want cpu, vulkan or vulkan:N"},
		{"device without a number", "--device vulkan: version", 2, "want cpu, vulkan or vulkan:N"},
		{"threads", "--threads -1 version", 2, "--threads"},
		{"no threads", "--threads 0 version", 2, "--threads 0"},
		{"accumulation", "tokenizer train --data x --accumulation-steps 0", 2, "train.accumulation_steps = 0"},
		{"preset", "config tokenizer --preset smal32", 2, `did you mean "small32"?`},
		{"method", "config tokeniser", 2, `did you mean "tokenizer"?`},
		{"config without a method", "config --explain", 2, "name the method too"},
		{"config as JSON", "config tokenizer --json", 2, "--explain"},
		{"key", "tokenizer train --data x --set train.epoch=3", 2, "did you mean train.epochs?"},
		{"value", "tokenizer train --data x --set train.epochs=many", 2, "whole number"},
		{"missing config file", "tokenizer train --data x --config " + empty + "/none.toml", 2, "none.toml"},
		{"no data", "tokenizer train", 2, "--data"},
		{"no tokenizer", "pretrain --data x", 2, "--tokenizer"},
		{"teacher", "tokenizer train --data x --teacher hogg", 2, "--teacher hogg"},
		{"missing folder", "tokenizer train --out " + out + " --data " + empty + "/none", 1, "no such folder"},
		{"empty folder", "tokenizer train --out " + out + " --data " + empty, 1, "no images found"},
		{"synthetic images", "tokenizer train --out " + out + " --data procedural:many", 1, "procedural:N"},
		{"run among other files", "tokenizer train --data procedural:20 --out " + filepath.Dir(file), 2, "has files in it, such as"},
		{"recipe without time", "recipe x", 2, "--time"},
		{"recipe of no time", "recipe x --time 0s", 2, "--time 0s: must be positive"},
		{"recipe of negative time", "recipe x --time=-1h", 2, "--time -1h0m0s: must be positive"},
		{"recipe of some time", "recipe x --time soon", 2, "--time"},
		{"recipe without data", "recipe --time 1h", 2, "--data"},
		{"recipe of no images", "recipe --time 1h " + empty, 1, "no images found"},
		{"recipe of missing images", "recipe --time 1h " + empty + "/none", 1, "no such folder"},
		{"recipe of a part that is none", "recipe --time 1h --val-fraction 1 " + empty, 2, "data.val_fraction = 1"},
		{"recipe in a run", "recipe --time 1h x --out " + trainedRuns(t).tokenizer, 2, "is the folder of a run"},
		{"quickstart in a run", "quickstart --out " + trainedRuns(t).tokenizer, 2, "is the folder of a run"},
		{"comparison in a run", "compare --data procedural:20 --out " + trainedRuns(t).tokenizer, 2, "is the folder of a run"},
		{"resume of nothing", "pretrain --resume " + empty, 1, "not a run folder"},
		{"resume with preset", "pretrain --resume " + empty + " --preset small32", 2, "--preset"},
		{"model that is none", "tokenizer eval --data " + empty + " " + file, 1, "notes.txt"},
		{"missing model", "probe linear --data " + empty + " " + empty + "/none", 1, "none"},
		{"probe of what is no model", "probe knn " + file, 1, "notes.txt"},
		{"probe numbers", "probe knn --k 0 --data x x", 2, "--k 0"},
		{"finetune without data", "finetune", 2, "--data"},
		{"finetune mask alone", "finetune --data x --class-mask x", 2, "beit eval"},
		{"old eval with training flags", "finetune --data x --eval x --out y", 2, "--eval trains nothing"},
		{"eval with training flags", "eval --data x --out y x", 2, "unknown flag --out"},
		{"eval with a key of training", "eval --data x x --set train.batch=3", 2, "--set train.batch=3: only keys of data"},
		{"eval of what is no model", "eval --data x " + file, 1, "notes.txt"},
		{"eval on nothing", "eval x --data=", 2, "name the images after the model"},
		{"finetune from no run", "finetune --data x --init-from " + empty + "/none", 1, "none"},
		{"finetune from what is no model", "finetune --data x --init-from " + file, 1, "notes.txt"},
		{"finetune fraction", "finetune --data x --label-fraction 2", 2, "data.label_fraction = 2"},
		{"finetune on nothing", "finetune --data x --label-fraction 0", 2, "data.label_fraction = 0"},
		{"missing tokenizer", "pretrain --out " + out + " --data procedural:20 --tokenizer " + empty + "/none", 1, empty + "/none: no such model file or run folder"},
		{"tokenizer that is none", "pretrain --out " + out + " --data procedural:20 --tokenizer " + empty, 1, "not a run folder"},
		{"finetune without labels", "finetune --out " + out + " --data " + unlabelled, 1, "labels"},
		{"eval without labels", "eval " + trainedRuns(t).classifier + " --data " + unlabelled, 2, "no labels"},
		{"predict nothing", "predict x", 2, "name the images after the model"},
		{"predict by none", "predict --top 0 x y", 2, "--top 0"},
		{"probe protocol", "probe linear --protocol all --data x x", 2, "--protocol"},
		{"probe of blocks by flags of the other protocol", "probe linear --protocol layers --seeds 3 --raw --norm none --pool cls --data x x", 2, "only --protocol features has --seeds, --norm, --pool, --raw"},
		{"probe of features by flags of the other protocol", "probe linear --batch 9 --sgd --data x x", 2, "only --protocol layers has --batch, --sgd"},
		{"probe of blocks at two rates", "probe linear --protocol layers --lr 1,2 --data x x", 2, "takes one learning rate"},
		{"probe at no rate", "probe linear --lr 1,0 --data x x", 2, "--lr"},
		{"probe by an unknown pool", "probe knn --pool max --data x x", 2, "--pool max"},
		{"probe of both of one", "probe knn --pool mean --both --data x x", 2, "--both"},
		{"probe by no seed", "probe linear --seeds 0 --data x x", 2, "--seeds"},
		{"report of nothing", "report " + empty, 1, "there are no runs in"},
		{"report of a missing run", "report " + empty + "/none", 1, "there is no run " + empty + "/none: name a run folder"},
		{"report to another format", "report x --out page.pdf", 2, "ends in .html"},
		{"report of several runs", "report x y", 2, "--out FILE.html"},
		{"report of images that are none", "report x --images -1", 2, "--images"},
		{"embed without data", "embed " + file, 2, "name the images after the model"},
		{"encode without data", "tokenizer encode x", 2, "name the images after the model"},
		{"similar without data", "similar x y", 2, "name the images after the model"},
		{"embed to another format", "embed --out x.csv " + file + " " + empty, 2, "--out x.csv"},
		{"embed by nothing", "embed " + empty + "/none " + empty, 1, "none"},
		{"embed by what is no model", "embed " + file + " " + empty, 1, "wanted is a run folder"},
		{"embed feature", "embed --feature max " + file + " " + empty, 2, "--feature"},
		{"encode to another format", "tokenizer encode --out x.txt --data " + empty + " " + file, 2, "--out x.txt"},
		{"similar to none", "similar --top 0 x y z", 2, "--top 0"},
		{"similar on no sheet", "similar --out x.gif x y z", 2, "--out x.gif"},
		{"similar by another file", "similar --index backbone.safetensors x y z", 2, "ends in .index"},
		{"map without a folder", "map x y --out=", 2, "--out: name the folder"},
		{"attention as another image format", "attention x y --out a.jpg", 2, "ends in .png"},
		{"runs of a file", "runs " + file, 2, "name the folder"},
		{"map without images", "map x --out gone", 2, "name the images"},
		{"map of no neighbours", "map x y --out gone --neighbours 0", 2, "--neighbours 0"},
		{"map with a wrong threshold", "map x y --out gone --threshold 1.5", 2, "--threshold 1.5"},
		{"serve nothing", "serve " + empty + "/none", 2, "there is no folder " + empty + "/none"},
		{"serve a file", "serve " + file, 2, "name the folder"},
		{"serve at no address", "serve " + empty + " --addr here", 2, "wanted is HOST:PORT"},
		{"serve at a port that is none", "serve " + empty + " --addr 127.0.0.1:99999", 2, "wanted is HOST:PORT"},
		{"inspect nothing", "inspect " + empty + "/none", 1, "no such model file or run folder"},
		{"inspect no run", "inspect " + empty, 1, "not a run folder"},
		{"curves in another format", "inspect --curves x.gif x", 2, "--curves x.gif"},
		{"curves of a file", "inspect --curves x.png " + file, 2, "--curves"},
		{"convert to other names", "convert x y.safetensors --to keras", 2, "--to"},
		{"convert to another format", "convert x y.npz --to hf", 2, "y.npz"},
		{"convert onto itself", "convert " + file + " " + file + " --to hf", 2, "notes.txt"},
		{"convert what is no model", "convert " + file + " " + out + ".pth --to hf", 1, "notes.txt"},
		{"verify nothing", "verify " + empty + "/none", 1, "none"},
		{"verify what is no model", "verify " + file, 1, "notes.txt"},
		{"pull what nobody offers", "pull beitv3", 2, "'beit pull' lists them"},
		{"bench", "bench --filter nothing", 2, "no case"},
		{"bench of slow cases alone", "bench --filter base_300e", 2, "--slow"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, o, e := beitRun(t, strings.Fields(c.args)...)
			if status != c.status || !strings.Contains(e, c.want) {
				t.Errorf("beit %s: status %d, want %d; message %q, want one with %q", c.args, status, c.status, e, c.want)
			}
			if strings.Count(e, "\n") != 1 || !strings.HasPrefix(e, "beit: ") || o != "" {
				t.Errorf("beit %s: want one line on standard error alone, got %q and output %q", c.args, e, o)
			}
		})
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a run that could not begin left its folder")
	}
}

// By layers, the learning rate is that of the batch there is.
func TestLayersConfig(t *testing.T) {
	batch := 512
	for _, c := range []struct {
		cmd    probeLinearCmd
		images int
		batch  int
		lr     float64
	}{
		{probeLinearCmd{}, 5000, 1024, 4e-3},
		{probeLinearCmd{}, 256, 256, 1e-3},
		{probeLinearCmd{Batch: &batch}, 5000, 512, 2e-3},
		{probeLinearCmd{Batch: &batch}, 128, 128, 5e-4},
		{probeLinearCmd{Batch: &batch, LR: []float64{0.5}}, 128, 128, 0.5},
	} {
		if got := c.cmd.layersConfig(c.images); got.Batch != c.batch || got.LR != c.lr {
			t.Errorf("%d images: batch %d, rate %g; want %d, %g", c.images, got.Batch, got.LR, c.batch, c.lr)
		}
	}
}

// What ended a run comes with how to go on, as soon as there is something to go on from.
func TestAdvice(t *testing.T) {
	dir := t.TempDir()
	noRoom := syscall.ENOSPC
	if runtime.GOOS == "windows" {
		noRoom = 112 // ERROR_DISK_FULL
	}
	full := &os.PathError{Op: "write", Path: "step-000000003.safetensors", Err: noRoom}
	if got := (&app{}).advise(full, pretrain.Method, dir).Error(); got != full.Error() {
		t.Errorf("before the run folder was written: %s", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if got := (&app{}).advise(&data.UnreadableError{Failed: 3, Read: 20, Limit: 0.1}, tokenizer.Method, dir).Error(); !strings.Contains(got, "3 of the 20") ||
		!strings.Contains(got, "beit tokenizer train --resume "+dir+" --set data.max_unreadable=0.5") {
		t.Errorf("too many unreadable images: %s", got)
	}
	if got := (&app{}).advise(fmt.Errorf("step 3: %w", train.ErrNotFinite), pretrain.Method, dir).Error(); !strings.Contains(got, "train.lr") {
		t.Errorf("not finite: %s", got)
	}
	got := (&app{}).advise(full, pretrain.Method, dir)
	if !errors.Is(got, noRoom) || !strings.Contains(got.Error(), "beit pretrain --resume "+dir) {
		t.Errorf("in the middle of the run: %v", got)
	}
}

// Nobody else gets a folder that was found free.
func TestFreeFolder(t *testing.T) {
	name := filepath.Join(t.TempDir(), "runs", "teacher")
	for _, want := range []string{name, name + "-2", name + "-3"} {
		if got, err := freeFolder(name); got != want || err != nil {
			t.Errorf("%s, error %v, want %s", got, err, want)
		}
	}
	if err := os.WriteFile(name+"-4", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := freeFolder(filepath.Join(name+"-4", "run")); err == nil {
		t.Errorf("a folder in a file: %s", got)
	}
	t.Chdir(t.TempDir())
	if status, _, e := beitRun(t, "tokenizer", "train", "--data", "procedural:many"); status != 1 {
		t.Errorf("status %d, %s", status, e)
	}
	if _, err := os.Stat("runs/tokenizer"); err == nil {
		t.Error("a run that could not begin left its folder")
	}
}

// A failed self-test is told on standard error, a passed one is not; both are in version and bench.
func TestSelfTest(t *testing.T) {
	var e bytes.Buffer
	a := &app{errOut: &stream{w: &e}}
	a.warn("avx2 agrees with generic", true)
	if e.Len() != 0 {
		t.Errorf("warned of a passed self-test: %q", e.String())
	}
	a.warn("kernels that differ from generic: avx2 curves", false)
	if got := e.String(); !strings.HasPrefix(got, "beit: warning: ") || !strings.HasSuffix(got, "avx2 curves\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("warning: %q", got)
	}
	verdict, ok := tensor.CPUSelfTest()
	if !ok {
		t.Errorf("the self-test failed: %s", verdict)
	}
	for _, args := range []string{"version", "bench --filter tokens=6272/codes=512"} {
		if status, o, e := beitRun(t, strings.Fields(args)...); status != 0 || e != "" || !strings.Contains(o, "self-test: "+verdict+"\n") {
			t.Errorf("beit %s: status %d, message %q, output %q", args, status, e, o)
		}
	}
}

// fullWriter is standard output on a full disk.
type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestOutputThatCannotBeWritten(t *testing.T) {
	for _, args := range []string{"--help", "devices", "inspect " + trainedRuns(t).dino, "version", "version --levels", "config", "config tokenizer", "config pretrain --keys"} {
		var e bytes.Buffer
		status := execute(t.Context(), strings.Fields(args), fullWriter{}, &e)
		if status != 1 || strings.Count(e.String(), "\n") != 1 {
			t.Errorf("beit %s: status %d, message %q", args, status, e.String())
		}
	}
}

// TestMain lets this binary be the command, for tests of the process as a whole.
// noNetwork fails as a machine without a network does.
type noNetwork struct{}

func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("there is no network")
}

func TestMain(m *testing.M) {
	if os.Getenv("BEIT_TEST_COMMAND") != "" {
		main()
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "beit")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		tempRuns = dir
		os.Setenv(model.CacheEnv, filepath.Join(dir, "cache"))
		client = &http.Client{Transport: noNetwork{}}
		return m.Run()
	}())
}

func TestBadLevel(t *testing.T) {
	cmd, errOut := process(t, "version")
	cmd.Env = append(cmd.Env, "BEIT_CPU=abacus")
	_ = cmd.Run()
	if got := errOut.String(); cmd.ProcessState.ExitCode() != 2 || !strings.Contains(got, "abacus") || strings.Count(got, "\n") != 1 {
		t.Errorf("status %d, message %q", cmd.ProcessState.ExitCode(), got)
	}
}

// A panic below ends in one plain line.
func TestPanic(t *testing.T) {
	status, _, e := beitRun(t, "--threads", "1", "version")
	if status != 0 {
		t.Fatalf("status %d: %s", status, e)
	}
	var none context.Context // which commands do not expect
	var o, errOut bytes.Buffer
	status = execute(none, strings.Fields("bench --filter MatMul/m=256.*highest"), &o, &errOut)
	if got := errOut.String(); status != 1 || !strings.HasPrefix(got, "beit: internal error") || strings.Count(got, "\n") != 1 {
		t.Errorf("status %d, message %q", status, got)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"", "--help", "help", "help probe linear", "pretrain --help", "probe linear --help"} {
		status, o, e := beitRun(t, strings.Fields(args)...)
		if status != 0 || !strings.Contains(o, "Usage: beit") || e != "" {
			t.Errorf("beit %s: status %d, output %.60q, error %q", args, status, o, e)
		}
	}
}

func TestVersionLevels(t *testing.T) {
	if now, habit := mustRun(t, "version"), mustRun(t, "--version"); now != habit {
		t.Errorf("beit --version says %q, beit version %q", habit, now)
	}
	_, o, _ := beitRun(t, "version", "--levels")
	if o != strings.Join(tensor.CPULevels(), "\n")+"\n" {
		t.Errorf("%q", o)
	}
}

// What config prints, it reads back.
func TestConfigRoundTrip(t *testing.T) {
	for _, m := range model.Methods() {
		_, text, e := beitRun(t, "config", m.Name, "--set", "train.epochs=7")
		if !strings.Contains(text, "epochs = 7\n") {
			t.Fatalf("%s: %s%s", m.Name, text, e)
		}
		name := filepath.Join(t.TempDir(), "c.toml")
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, again, e := beitRun(t, "config", m.Name, "--config", name); again != text {
			t.Errorf("%s: %s\nread back gives %s%s", m.Name, text, again, e)
		}
	}
}

func TestBenchJSON(t *testing.T) {
	status, o, e := beitRun(t, "bench", "--json", "--filter", "matmul/M=256.*HIGHEST")
	var got struct {
		Device  string
		Results []bench.Result
	}
	if err := json.Unmarshal([]byte(o), &got); err != nil || status != 0 {
		t.Fatalf("status %d, %v: %s%s", status, err, o, e)
	}
	if len(got.Results) != 1 || got.Results[0].GFLOPs <= 0 || got.Device == "" {
		t.Errorf("%+v", got)
	}
}

// The list has the whole suite, and filters regardless of case.
func TestBenchList(t *testing.T) {
	all := strings.Split(strings.TrimSuffix(mustRun(t, "bench", "--list"), "\n"), "\n")
	if suite := bench.Suite(tensor.CPU()); len(all) != len(suite) || all[0] != suite[0].Name() {
		t.Errorf("%d cases, beginning with %q; the suite has %d", len(all), all[0], len(suite))
	}
	some := mustRun(t, "bench", "--list", "--filter", "trainstep")
	if n := strings.Count(some, "\n"); strings.Count(some, "TrainStep/") != n || n >= len(all) || !strings.Contains(some, "(with --slow)") {
		t.Errorf("%q", some)
	}
	if status, _, errOut := beitRun(t, "bench", "--list", "--report", filepath.Join(t.TempDir(), "x.json")); status != statusUsage || !strings.Contains(errOut, "--list measures nothing") {
		t.Errorf("status %d, %q", status, errOut)
	}
}

// A cancelled context is an interruption: status 130, and nothing is left of a run that did not begin.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := filepath.Join(t.TempDir(), "run")
	var o, e bytes.Buffer
	args := append([]string{"tokenizer", "train", "--data", "procedural:32", "--out", out}, tiny...)
	if status := execute(ctx, args, &o, &e); status != 130 || !strings.HasSuffix(e.String(), "beit: interrupted\n") {
		t.Errorf("status %d, messages %q", status, e.String())
	}
	if _, err := os.Lstat(out); !os.IsNotExist(err) {
		t.Errorf("the folder is there (%v)", err)
	}
}
