package train

import (
	"context"
	"fmt"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// reader is the CPU, and notes what is read of it: whether it was fetched before.
type reader struct {
	tensor.Backend
	fetched map[string]bool
	waits   int      // readings of what was fetched
	drains  []string // shapes of what was not
}

// place names the memory of a tensor.
func place(t *tensor.Tensor) string { return fmt.Sprintf("%p+%d", t.Buffer(), t.Offset()) }

func (r *reader) Prefetch(list []*tensor.Tensor) {
	r.fetched = map[string]bool{}
	for _, t := range list {
		r.fetched[place(t)] = true
	}
}

func (r *reader) note(t *tensor.Tensor) {
	if r.fetched[place(t)] {
		r.waits++
	} else {
		r.drains = append(r.drains, fmt.Sprint(t.Shape()))
	}
}

func (r *reader) Download(dst []float32, src *tensor.Tensor) error {
	r.note(src)
	return r.Backend.Download(dst, src)
}

func (r *reader) DownloadInts(dst []int32, src *tensor.Tensor) error {
	r.note(src)
	return r.Backend.DownloadInts(dst, src)
}

// Between two steps the loop reads only what the step before left and had fetched, so it waits for no later work.
func TestLoopReadsOnlyWhatWasFetched(t *testing.T) {
	tok := tokenizerRun(t)
	type learner struct {
		name string
		*method.Method
		set []string
	}
	var list []learner
	for _, m := range model.Methods() {
		list = append(list, learner{m.Name, m, fromTokenizer(m, tok)})
	}
	backbone := func(name string, set ...string) {
		list = append(list, learner{name, pretrain.Method, append(fromTokenizer(pretrain.Method, tok), set...)})
	}
	dalle := []string{"pretrain.target=dalle", "pretrain.tokenizer=" + traintest.DALLE(t), "pretrain.model.aggregation.depth=0", "pretrain.visible=0"}
	backbone("features of HOG", "pretrain.target=features", "pretrain.visible=0.5")
	backbone("shuffled codes", "pretrain.shuffle_codes=true")
	backbone("codes of DALL-E", dalle...)
	backbone("kept codes of DALL-E", append(dalle, "data.augment=none")...)
	for _, m := range list {
		t.Run(m.name, func(t *testing.T) {
			set := append([]string{"train.epochs=1", "log.eval_every=100", "data.val_fraction=0"}, m.set...)
			r := &reader{Backend: tensor.CPU().Backend()}
			env := opening(Env{Device: tensor.NewDevice(r), Source: &data.Source{Train: data.Procedural(80, 16, 1)}})
			l, err := newLoop(t.Context(), t.TempDir(), m.Method, tiny(t, m.Method, set...), env, state.WriteFileAtomic)
			if err != nil {
				t.Fatal(err)
			}
			defer l.close()
			steps := 0
			l.reporter = &traintest.Reporter{OnProgress: func(p method.Progress) {
				if p.Phase != "train" || p.Done < 2 || p.Done > p.Total-2 { // before the first step and after the last one the loop reads more
					r.waits, r.drains = 0, nil
					return
				}
				steps++
				if r.waits == 0 {
					t.Errorf("step %d: nothing that was fetched was read", p.Done)
				}
				if len(r.drains) > 0 {
					t.Errorf("step %d: tensors of shapes %s are read without being fetched", p.Done, r.drains)
				}
				r.waits, r.drains = 0, nil
			}}
			if _, err := l.fresh(context.Background()); err != nil {
				t.Fatal(err)
			}
			if steps < 4 {
				t.Errorf("only %d steps", steps)
			}
		})
	}
}
