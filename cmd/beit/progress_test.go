package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/method"
)

// epochOf is an epoch of a backbone, with figures for all columns.
func epochOf(number int, trend method.Trend) method.Epoch {
	return method.Epoch{
		Method: "pretrain", Number: number, Of: 120, Trend: trend,
		Train: map[string]float64{
			"loss_mim": 4.82131, "loss_aggregation": 4.9, "acc_mim": 0.0531, "grad_norm": 1.5, "img_per_s": 327.4, "data_time": 0.0123, "lr": 1e-3, "loss": 9.7,
		},
		Val: map[string]float64{
			"loss_mim": 4.712, "loss_aggregation": 4.85, "loss_cls_shuffled": 5.1, "unigram_entropy": 5.2033, "acc_mim": 0.0622, "acc_nearest_patch": 0.0712,
			"perplexity": 181.94, "codes_used": 240,
		},
	}
}

// Off a terminal, progress is plain lines: no control characters, and no line before its time but where something begins.
func TestPlainProgress(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	var w bytes.Buffer
	r := newReporter(&w)
	r.Progress(method.Progress{Method: "pretrain", Phase: "encode", Done: 0, Total: 70}) // of no run
	r.Progress(method.Progress{Method: "pretrain", Phase: "k-means", Done: 0, Total: 70, Epoch: 1, Epochs: 10})
	r.Progress(method.Progress{Method: "pretrain", Phase: "k-means", Done: 3, Total: 70, Epoch: 1, Epochs: 10})
	r.Progress(method.Progress{Method: "pretrain", Phase: "train", Done: 0, Total: 70, Epoch: 1, Epochs: 10})
	r.Progress(method.Progress{Method: "pretrain", Phase: "train", Done: 1, Total: 70, Epoch: 1, Epochs: 10})
	r.Progress(method.Progress{Method: "pretrain", Phase: "validate", Done: 0, Total: 9, Epoch: 1, Epochs: 10})
	r.last = time.Now().Add(-time.Hour)
	r.Progress(method.Progress{
		Method: "pretrain", Phase: "train", Done: 7, Total: 70, Part: 2, Parts: 8, Epoch: 1, Epochs: 10, Loss: 2.5, LR: 1e-3, ImagesPerSec: 171, DataTime: 0.123,
		Left: 95 * time.Second,
	})
	r.Progress(method.Progress{Method: "pretrain", Phase: "train", Done: 8, Total: 70})
	r.live("nothing here")
	r.Epoch(method.Epoch{
		Method: "pretrain", Number: 1, Of: 10, Train: map[string]float64{"loss_mim": 2.5, "memory_mb": 7}, Val: map[string]float64{"loss_mim": 2.25}, Trend: method.TrendCollapsing,
	})
	r.Warning("codes are dying")
	r.clear()
	want := `pretrain  k-means  0/70
pretrain  epoch 1/10  0/70
pretrain  epoch 1/10  7/70  part 2/8  1m35s left  loss 2.5000  171 images/s  12 % data time
epoch       trend  MIM loss     val
 1/10  collapsing     2.500   2.250
warning: codes are dying
`
	if w.String() != want {
		t.Errorf("got\n%swant\n%s", w.String(), want)
	}
}

// On a terminal one line changes, never wider than the terminal, and makes room for lines that stay. What does not fit is left out as a whole.
func TestLiveProgress(t *testing.T) {
	p := method.Progress{
		Method: "pretrain", Phase: "train", Done: 35, Total: 70, Part: 3, Parts: 32, Epoch: 1, Epochs: 10, Loss: 2.5, ImagesPerSec: 171, Left: 95 * time.Second,
	}
	for columns, want := range map[int]string{
		30:  "pretrain  epoch 1/10  35/70",
		60:  "pretrain  epoch 1/10  35/70  part 3/32  1m35s left",
		80:  "pretrain  [#####.....]  epoch 1/10  35/70  part 3/32  1m35s left  loss 2.5000",
		120: "pretrain  [############............]  epoch 1/10  35/70  part 3/32  1m35s left  loss 2.5000  171 images/s",
	} {
		var w bytes.Buffer
		r := newReporter(&w)
		r.columns = columns
		r.Progress(p)
		r.Notice("a notice")
		if want := "\r" + want + "\x1b[K\r\x1b[Ka notice\n"; w.String() != want {
			t.Errorf("%d columns: got %q, want %q", columns, w.String(), want)
		}
	}
}

// A row has the figures of training and of validation, as many as fit; the most telling ones stay on a narrow terminal.
func TestEpochTable(t *testing.T) {
	knn := epochOf(7, "")
	knn.Val["knn_accuracy"] = 0.3217
	for _, c := range []struct {
		width       int
		epoch       method.Epoch
		header, row string
	}{
		{
			60, epochOf(7, method.TrendNotYet),
			"  epoch       trend  MIM loss     val  MIM acc     val",
			"  7/120     not yet     4.821   4.712   0.0531  0.0622",
		},
		{
			60, knn,
			"  epoch  MIM loss     val  entropy  MIM acc     val    k-NN",
			"  7/120     4.821   4.712    5.203   0.0531  0.0622  0.3217",
		},
		{
			80, knn,
			"  epoch  MIM loss     val  entropy  MIM acc     val  nearest    k-NN  images/s",
			"  7/120     4.821   4.712    5.203   0.0531  0.0622   0.0712  0.3217     327.4",
		},
		{
			120, knn,
			"  epoch  MIM loss     val  agg loss     val  shuffled  entropy  MIM acc     val  nearest  perplex    k-NN  images/s",
			"  7/120     4.821   4.712     4.900   4.850     5.100    5.203   0.0531  0.0622   0.0712    181.9  0.3217     327.4",
		},
	} {
		var table epochTable
		header, row := table.add(c.epoch, c.width)
		if header != c.header || row != c.row || len(header) >= c.width || len(row) >= c.width {
			t.Errorf("%d columns:\n%s\n%s\nwant\n%s\n%s", c.width, header, row, c.header, c.row)
		}
	}
}

// The header comes once, and again after other lines or with other columns. A column that was there stays, empty where an epoch has no such figure.
func TestEpochTableHeader(t *testing.T) {
	var table epochTable
	with, without := epochOf(1, ""), epochOf(2, "")
	with.Val["knn_accuracy"] = 0.25
	without.Train = map[string]float64{"loss_mim": 4}
	without.Val = nil
	header, row := table.add(with, 80)
	if header == "" || !strings.Contains(row, "0.2500") {
		t.Errorf("%q, %q", header, row)
	}
	if again, row := table.add(without, 80); again != "" || strings.Join(strings.Fields(row), " ") != "2/120 4" {
		t.Errorf("the second epoch: header %q, row %q", again, row)
	}
	if again, _ := table.add(without, 60); again == "" || again == header {
		t.Errorf("on a narrower terminal: header %q", again)
	}
	table.interrupted()
	if again, _ := table.add(without, 60); again == "" {
		t.Error("no header after another line")
	}
	if again, _ := table.add(method.Epoch{Method: "finetune", Number: 1, Of: 2, Train: map[string]float64{"class_loss": 1}}, 60); again != "epoch    loss" {
		t.Errorf("another method's header is %q", again)
	}
}

// Figures of training and validation that are the same under two keys have one name.
func TestEpochTableTwoKeys(t *testing.T) {
	var table epochTable
	e := method.Epoch{Method: "finetune", Number: 1, Of: 2, Train: map[string]float64{"class_loss": 1, "accuracy": 0.5}, Val: map[string]float64{"class_loss": 1, "top1": 0.25}}
	header, row := table.add(e, 60)
	if header != "epoch    loss     val   top-1     val" || row != "  1/2       1       1  0.5000  0.2500" {
		t.Errorf("%s\n%s", header, row)
	}
}

// Of hundreds of short epochs that validate nothing, the first and the last have rows.
func TestEpochRowsOfShortEpochs(t *testing.T) {
	var w bytes.Buffer
	r := newReporter(&w)
	for i := range 300 {
		r.Epoch(method.Epoch{Method: "finetune", Number: i + 1, Of: 300, Train: map[string]float64{"class_loss": 1}})
	}
	validated := method.Epoch{Method: "finetune", Number: 7, Of: 300, Val: map[string]float64{"top1": 1}}
	r.Epoch(validated)
	r.Epoch(validated)
	for number, want := range map[string]int{"  1/300": 1, "  2/300": 0, "300/300": 1, "  7/300": 2} {
		if got := strings.Count(w.String(), "\n"+number); got != want {
			t.Errorf("%d rows of epoch %s, want %d:\n%s", got, number, want, w.String())
		}
	}
}

// Colours are for terminals whose users did not ask for none.
func TestColour(t *testing.T) {
	for _, color := range []bool{true, false} {
		var w bytes.Buffer
		r := newReporter(&w)
		r.columns, r.color = 80, color
		r.Warning("codes are dying")
		r.Epoch(epochOf(1, method.TrendCollapsing))
		if got := strings.Contains(w.String(), "\x1b["); got != color {
			t.Errorf("colour %v: %q", color, w.String())
		}
		for _, style := range []int{yellow, bold, red} {
			if got := strings.Contains(w.String(), fmt.Sprintf("\x1b[%dm", style)); got != color {
				t.Errorf("colour %v, style %d: %q", color, style, w.String())
			}
		}
	}
}

// A run that ends diverged says so in one line, with status 3 and its result; one whose codes die ends with status 0.
func TestDivergedStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		// At precision medium, which some processors choose, this rate gives NaN, and a run that stops for NaN has no result.
		{slices.Concat([]string{"finetune", "--precision", "highest"}, assign(
			"finetune.model.image_size=16", "finetune.model.width=24", "finetune.model.depth=1", "finetune.model.heads=2", "train.batch=16", "log.every=2", "train.epochs=2",
			"train.lr=100")), statusDiverged, "beit: the run diverged: the loss is "},
		{slices.Concat([]string{"tokenizer", "train"}, tiny, assign("train.lr=0")), statusOK, ""},
	} {
		dir := filepath.Join(t.TempDir(), "run")
		status, out, errOut := beitRun(t, append(c.args, "--data", "procedural:60", "--out", dir)...)
		last := errOut[strings.LastIndex(strings.TrimSpace(errOut), "\n")+1:]
		if status != c.status || !strings.Contains(out, dir) || !strings.HasPrefix(last, c.want) || strings.Count(errOut, "beit:") != min(1, c.status) {
			t.Errorf("%s: status %d\n%s%s", c.args[0], status, out, errOut)
		}
	}
}
