package pretrain

import (
	"cmp"
	"context"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/tensor"
)

// Validate measures both heads on the validation images, beside baselines that need no model: the entropy of the codes, and the code of the
// nearest visible patch. loss_cls_shuffled is the aggregation head's loss with class tokens shuffled between images (see
// beit.MIMInput). Images come in a random order: in that of class folders, neighbours would exchange the token of their own class.
func (t *task) Validate(ctx context.Context) (map[string]float64, error) {
	m := method.Means{}
	counts := make([]int64, t.target.Dim())
	err := t.EachMixedBatch(ctx, streamCLSShuffle, func(b *data.Batch) {
		for _, code := range t.validateBatch(b, m) {
			if code >= 0 { // not of an unreadable image
				counts[code]++
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(m.Reduce(t.Group), t.Group.AllReduceInt64(counts)); err != nil {
		return nil, err
	}
	if len(m) == 0 {
		return nil, method.ErrNoneReadable
	}
	v := m.Values()
	if use := beit.UsageOfCounts(counts); use.Used > 0 {
		v["unigram_entropy"], v["codes_used"], v["perplexity"] = use.Entropy, float64(use.Used), use.Perplexity
	}
	return v, nil
}

// validateBatch adds a batch's figures to m and returns the codes of its patches, nil when the target has none.
func (t *task) validateBatch(b *data.Batch, m method.Means) (codes []int32) {
	c := t.EvalContext()
	in, n := t.evalInput(b), t.model.Config.ViT.Tokens()
	mask := in.Masked
	labels := t.labels(c, b, 1)
	student := method.Upload(c, b, method.FieldImage)
	res := t.model.ForwardInput(c, student, in, labels)
	rows := float64(res.Rows.Size())
	add := func(name string, v *tensor.Tensor) { m.Add(name, rows*float64(v.Item()), rows) }
	add(method.KeyLoss, res.Loss.Value())
	add("loss_mim", res.MIM.Value())
	if res.Visible != nil {
		seen := float64(len(mask)) - rows
		m.Add("loss_visible", seen*float64(res.Visible.Value().Item()), seen)
	}
	if res.Class != nil {
		m.Add("loss_cls", float64(len(b.Index))*float64(res.Class.Value().Item()), float64(len(b.Index)))
	}
	if res.Aggregation != nil {
		add("loss_aggregation", res.Aggregation.Value())
		if len(b.Index) > 1 {
			in.ShuffledCLS, in.Visible, in.Over = true, 0, beit.OverMasked
			add("loss_cls_shuffled", t.model.ForwardInput(c, student, in, labels).Aggregation.Value())
		}
	}
	given, ok := labels.(*beit.CodeLabels)
	if !ok {
		return nil
	}
	for _, s := range accuracies(c, res, labels) {
		m.AddScalar(s)
	}
	every := c.Tape.Own(tensor.FromInts(t.Device, upTo(len(mask)), len(mask))).Value()
	codes = given.Codes(c.Tape, every).Ints()
	for i := range b.Index {
		masked, hits := t.nearest.Count(codes[i*n:(i+1)*n], mask[i*n:(i+1)*n])
		m.Add("acc_nearest_patch", float64(hits), float64(masked))
	}
	return codes
}

// upTo is 0 … n-1.
func upTo(n int) []int32 {
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(i)
	}
	return list
}
