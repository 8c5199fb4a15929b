package train

import (
	"context"
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// nearestFirst lists for each patch of a grid all others, the nearest first, ties in row-major order.
func nearestFirst(grid int) [][]int {
	list := make([][]int, grid*grid)
	for p := range list {
		distance := func(q int) int {
			dy, dx := p/grid-q/grid, p%grid-q%grid
			return dy*dy + dx*dx
		}
		for q := range grid * grid {
			if q != p {
				list[p] = append(list[p], q)
			}
		}
		slices.SortStableFunc(list[p], func(a, b int) int { return distance(a) - distance(b) })
	}
	return list
}

// copied counts masked patches of one picture, and those of them whose code is that of the nearest visible patch.
func copied(codes []int32, mask []bool, nearest [][]int) (masked, hits int) {
	for p, on := range mask {
		if !on {
			continue
		}
		masked++
		for _, q := range nearest[p] {
			if !mask[q] {
				if codes[q] == codes[p] {
					hits++
				}
				break
			}
		}
	}
	return masked, hits
}

// streamSwap orders the validation pictures of pretraining.
const streamSwap uint64 = 0x73776170

// validate measures both heads on the validation pictures, beside marks that need no model: the entropy of the codes, and copying the
// nearest visible patch's code. loss_swap is the aggregation head's loss with class tokens exchanged (see beit.MIM.ForwardSwapped).
// Pictures come in a drawn order: in that of class folders, neighbours would exchange the token of their own class.
func (t *pretrainTask) validate(ctx context.Context) (map[string]float64, error) {
	val := t.r.pictures.val
	order := tensor.NewRand(t.r.cfg.Seed, streamSwap).Perm(val.Len())
	loader, err := t.r.cfg.evalLoader(data.Subset(val, order), t.r.cfg.Data.Eval, t.r.cfg.views(), t.r.warnSkipped)
	if err != nil {
		return nil, err
	}
	m := means{}
	var all []int32
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		for i, at := range b.Index {
			b.Index[i] = order[at]
		}
		t.r.tape.NoGrad(func() { all = append(all, t.validateBatch(b, m)...) })
		t.r.tape.Reset()
		t.r.phase("validate", b.Number+1, loader.Len())
	}
	if len(m) == 0 {
		return nil, fmt.Errorf("no validation picture could be read")
	}
	v := m.values()
	if len(all) > 0 {
		use := UseOf(all, t.target.Dim())
		v["unigram_entropy"], v["codes_used"], v["perplexity"] = use.Entropy, float64(use.Used), use.Perplexity
	}
	return v, nil
}

// validateBatch adds a batch's figures to m and returns the codes of its patches, nil when the target has none.
func (t *pretrainTask) validateBatch(b *data.Batch, m means) (codes []int32) {
	c := nn.Context{Tape: t.r.tape, Seed: t.r.cfg.Seed}
	mask, n := t.mask(b, streamMaskVal), t.model.Config.ViT.Tokens()
	labels := t.evalLabels(c, b)
	student := upload(c, b, viewImage)
	res := t.model.Forward(c, student, mask, labels)
	rows := float64(res.Rows.Size())
	add := func(name string, v *tensor.Tensor) { m.add(name, rows*float64(v.Item()), rows) }
	add("loss", res.Loss.Value())
	add("loss_1", res.Main.Value())
	if res.Aggregation != nil {
		add("loss_2", res.Aggregation.Value())
		if len(b.Index) > 1 {
			add("loss_swap", t.model.ForwardSwapped(c, student, mask, labels).Aggregation.Value())
		}
	}
	given, ok := labels.(*beit.CodeLabels)
	if !ok {
		return nil
	}
	var r readings
	defer r.release()
	truth := given.Codes(c.Tape, res.Rows)
	r.match("mlm_acc_1", tensor.ArgMax(res.LogitsMain.Value()), truth)
	if res.Aggregation != nil {
		r.match("mlm_acc_2", tensor.ArgMax(res.LogitsAggregation.Value()), truth)
	}
	r.count(m)
	every := c.Tape.Own(tensor.FromInts(t.r.dev, upTo(len(mask)), len(mask))).Value()
	codes = given.Codes(c.Tape, every).Ints()
	for i := range b.Index {
		masked, hits := copied(codes[i*n:(i+1)*n], mask[i*n:(i+1)*n], t.copies)
		m.add("copy_acc", float64(hits), float64(masked))
	}
	return codes
}

func (t *pretrainTask) evalLabels(c nn.Context, b *data.Batch) beit.Labels {
	if t.shuffled[1] != nil {
		return t.given(b, 1)
	}
	return t.target.Labels(c, upload(c, b, viewTarget).Value())
}

// upTo is 0 … n-1.
func upTo(n int) []int32 {
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(i)
	}
	return list
}
