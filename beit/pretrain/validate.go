package pretrain

import (
	"context"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/tensor"
)

// Validate measures both heads on the validation images, beside baselines that need no model: the entropy of the codes, and the code of the
// nearest visible patch. loss_cls_shuffled is the aggregation head's loss with class tokens shuffled between images (see
// beit.MIMInput). Images come in a random order: in that of class folders, neighbours would exchange the token of their own class.
func (t *task) Validate(ctx context.Context) (map[string]float64, error) {
	m := method.Means{}
	baselines := target.NewBaselines(t.nearest, t.target.Dim())
	if err := t.EachMixedBatch(ctx, streamCLSShuffle, func(b *data.Batch) { t.validateBatch(b, m, baselines) }); err != nil {
		return nil, err
	}
	return baselines.Values(t.Group, m)
}

// validateBatch adds a batch's figures to m, and its codes, where the target has some, to the baselines.
func (t *task) validateBatch(b *data.Batch, m method.Means, baselines *target.Baselines) {
	c := t.EvalContext()
	in := t.evalInput(b)
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
		return
	}
	for _, s := range accuracies(c, res, labels) {
		m.AddScalar(s)
	}
	baselines.Add(m, given.All(), mask)
}
