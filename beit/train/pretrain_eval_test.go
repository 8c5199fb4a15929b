package train

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
)

// recorder notes which pictures are read, in order.
type recorder struct {
	data.Dataset
	mu   sync.Mutex
	read []int
}

func (r *recorder) Sample(i int) (data.Sample, error) {
	r.mu.Lock()
	r.read = append(r.read, i)
	r.mu.Unlock()
	return r.Dataset.Sample(i)
}

// Pictures that exchange class tokens must not be neighbours of one class folder. Every picture is seen once.
func TestValidationMixesClasses(t *testing.T) {
	const batch, pictures = 4, 39
	val := &recorder{Dataset: data.Procedural(pictures, 16, 2)}
	cfg := tiny(t, Pretrain, "pretrain.tokenizer="+tokenizerRun(t), "train.epochs=1")
	if _, err := Run(context.Background(), filepath.Join(t.TempDir(), "run"), cfg, Env{Source: &data.Source{Train: data.Procedural(40, 16, 1), Val: val}}); err != nil {
		t.Fatal(err)
	}
	adjacent := 0
	for list := range slices.Chunk(val.read, batch) { // within a batch workers read in any order
		slices.Sort(list)
		if list[len(list)-1]-list[0] == len(list)-1 {
			adjacent++
		}
	}
	if adjacent > 1 { // the last batch is smaller
		t.Errorf("%d batches hold neighbours only: %v", adjacent, val.read)
	}
	slices.Sort(val.read)
	if len(val.read) != pictures || len(slices.Compact(val.read)) != pictures {
		t.Errorf("pictures read: %v, want each of %d once", val.read, pictures)
	}
}
