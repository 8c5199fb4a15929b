package pretrain

import (
	"context"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// task trains a backbone by masked image modelling.
type task struct {
	*method.Env
	set      *nn.Set
	model    *beit.MIM
	target   beit.Target
	sources  *sources
	shuffled [2][]int32    // of training and validation images, N codes each, for the shuffled-codes control; else nil
	kept     [2]*codeCache // of training and validation images, where their codes are kept; else nil
	nearest  target.NearestPatch
}

func newTask(e *method.Env) (method.Task, error) {
	s := SectionOf(e.Config)
	kind, _ := target.Find(s.Target) // Check knows the names
	set := nn.NewSet()
	src, err := openSources(e, kind, set.Scope().Sub(targetScope))
	if err != nil {
		return nil, err
	}
	t := &task{Env: e, set: set, sources: src, target: kind.New(src.Sources), nearest: target.NewNearestPatch(s.Model.ViT.Grid())}
	t.kept = codeCaches(t)
	s.Model.Vocab = t.target.Dim()
	t.model = beit.NewMIM(t.set.Scope(), s.Model)
	t.set.Build(e.Device, e.Config.Seed, nn.Training)
	return t, nil
}

// targetScope has the buffers of the target.
const targetScope = "target"

// Set holds backbone and heads, and buffers of the target.
func (t *task) Set() *nn.Set { return t.set }

// Finished is all but the buffers of the target.
func (t *task) Finished() []*nn.Param {
	return slices.DeleteFunc(slices.Clone(t.set.Params()), func(p *nn.Param) bool { return strings.HasPrefix(p.Name, targetScope+".") })
}

// Release gives the memory back.
func (t *task) Release() {
	t.set.Release()
	t.sources.release()
}

// Prepare fits the target to the training images where it has to be, and makes the codes of those where they are kept. Both are part of what the run takes.
func (t *task) Prepare(ctx context.Context) error {
	if f, ok := t.target.(target.Fitted); ok {
		if err := f.Fit(ctx, t.Env); err != nil {
			return err
		}
	}
	return t.keepCodes(ctx)
}

// Forward is the loss of both heads on the masked patches.
func (t *task) Forward(c nn.Context, b *data.Batch) (*autograd.Var, []method.Scalar) {
	labels := t.labels(c, b, 0)
	res := t.model.ForwardInput(c, method.Upload(c, b, method.FieldImage), t.trainInput(b), labels)
	return res.Loss, scalars(c, res, labels)
}

// Features are the means of the patch tokens.
func (t *task) Features(c nn.Context, images *autograd.Var) *autograd.Var {
	_, mean := t.model.Features(c, images)
	return mean
}

// labels are those of a batch of training (which = 0) or validation images.
func (t *task) labels(c nn.Context, b *data.Batch, which int) beit.Labels {
	if t.shuffled[which] != nil {
		return t.given(b, which)
	}
	view := func() *tensor.Tensor { return method.Upload(c, b, method.FieldTarget).Value() }
	kept := t.kept[which]
	if kept == nil {
		host, _ := b.Tensor(method.FieldTarget)
		return beit.LabelsOf(c, t.target, view(), host)
	}
	if !kept.knows(b) {
		kept.learn(c, b, view())
	}
	return kept.labels(b)
}

// scalars are the losses, and the accuracies where labels are codes.
func scalars(c nn.Context, res beit.MIMResult, labels beit.Labels) []method.Scalar {
	list := []method.Scalar{method.Mean(method.KeyLoss, res.Loss.Value()), method.Mean("loss_mim", res.MIM.Value())}
	if res.Visible != nil {
		list = append(list, method.Mean("loss_visible", res.Visible.Value()))
	}
	if res.Class != nil {
		list = append(list, method.Mean("loss_cls", res.Class.Value()))
	}
	if res.Aggregation != nil {
		list = append(list, method.Mean("loss_aggregation", res.Aggregation.Value()))
	}
	return append(list, accuracies(c, res, labels)...)
}

// accuracies are the shares of masked patches whose code each head guesses; none where labels are no codes.
func accuracies(c nn.Context, res beit.MIMResult, labels beit.Labels) []method.Scalar {
	codes, ok := labels.(*beit.CodeLabels)
	if !ok {
		return nil
	}
	truth := codes.Codes(c.Tape, res.Rows)
	guess := func(logits *autograd.Var) *tensor.Tensor { return c.Tape.Own(tensor.ArgMax(logits.Value())).Value() }
	list := []method.Scalar{method.Share("acc_mim", guess(res.LogitsMIM), truth)}
	if res.Aggregation != nil {
		list = append(list, method.Share("acc_aggregation", guess(res.LogitsAggregation), truth))
	}
	return list
}

// Inspect shows everything on the way to the loss.
func (t *task) Inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var {
	images := method.Upload(c, b, method.FieldImage)
	check("images", images.Value())
	method.CheckBlocks(c, t.model, images, "output of blocks.%d (without a mask)", check)
	res := t.model.ForwardInput(c, images, t.trainInput(b), t.labels(c, b, 0))
	check("predictions of the MIM head", res.LogitsMIM.Value())
	check("MIM loss", res.MIM.Value())
	if res.Class != nil {
		check("loss of class tokens", res.Class.Value())
	}
	if res.Aggregation != nil {
		check("predictions of the aggregation head", res.LogitsAggregation.Value())
		check("patch-aggregation loss", res.Aggregation.Value())
	}
	return res.Loss
}
