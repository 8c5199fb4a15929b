package beit_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// mimRun is a tiny pretraining model with images and a mask.
type mimRun struct {
	set    *nn.Set
	model  *beit.MIM
	tape   *autograd.Tape
	images *tensor.Tensor
	mask   []bool
}

func newMIMRun(cfg beit.MIMConfig, batch int) mimRun {
	dev := tensor.CPU()
	r := mimRun{set: nn.NewSet(), tape: autograd.NewTape(dev), mask: make([]bool, batch*16)}
	r.model = beit.NewMIM(r.set.Scope(), cfg)
	r.set.Build(dev, 2, nn.Training)
	r.images = tensor.FromSlice(dev, testImages(batch, 16), batch, 3, 16, 16)
	for i := range batch {
		beit.BlockMask(beit.MaskConfig{Rows: 4, Cols: 4, Count: 6, MinBlock: 2}, tensor.NewRand(4, uint64(i)), r.mask[i*16:(i+1)*16])
	}
	return r
}

func (r mimRun) context() nn.Context { return nn.Context{Tape: r.tape, Train: true} }

func aggregation(vocab int) beit.MIMConfig {
	return beit.MIMConfig{ViT: tinyViT(), Vocab: vocab, Aggregation: beit.AggregationConfig{Layer: 2, Depth: 2, SharedHead: true}}
}

// TestMIMUntrainedLoss checks that both losses of a randomly initialised model are near ln K (their sum is 18.02 at K = 8192), and that
// only masked patches are predicted.
func TestMIMUntrainedLoss(t *testing.T) {
	const vocab, batch = 8192, 2
	r := newMIMRun(aggregation(vocab), batch)
	defer r.tape.Reset()
	codes := make([]int32, batch*16)
	for i := range codes {
		codes[i] = int32(i * 997 % vocab)
	}
	res := r.model.Forward(r.context(), r.tape.Constant(r.images), r.mask, beit.GivenCodes(codes))
	if got := res.Loss.Value().Item(); math.Abs(float64(got)-18.02) > 0.05 {
		t.Errorf("loss %g, want about 18.02", got)
	}
	if got := res.LogitsMIM.Shape(); !got.Equal(tensor.Shape{6 * batch, vocab}) {
		t.Errorf("predictions have shape %v", got)
	}
	var rows []int32
	for i, on := range r.mask {
		if on {
			rows = append(rows, int32(i))
		}
	}
	if diff := cmp.Diff(rows, res.Rows.Ints()); diff != "" {
		t.Error(diff)
	}
}

// TestCodeTargetEqualsGivenCodes checks that codes looked up for masked patches only are the tokenizer's codes of these patches.
func TestCodeTargetEqualsGivenCodes(t *testing.T) {
	const batch = 3
	tok := newTokenizerRun(t, 64, batch)
	r := newMIMRun(aggregation(64), batch)
	r.tape = autograd.NewTape(tok.dev)
	r.set = nn.NewSet()
	r.model = beit.NewMIM(r.set.Scope(), aggregation(64))
	r.set.Build(tok.dev, 2, nn.Training)
	defer r.tape.Reset()
	target := beit.CodeTarget{Tokenizer: tok.model}
	if target.Dim() != 64 {
		t.Errorf("the target has %d codes", target.Dim())
	}
	labels := target.Labels(r.context(), tok.images)
	student := r.tape.Constant(tok.images)
	looked := r.model.Forward(r.context(), student, r.mask, labels)
	given := r.model.Forward(r.context(), student, r.mask, beit.GivenCodes(tok.codes()))
	if a, b := looked.Loss.Value().Item(), given.Loss.Value().Item(); a != b {
		t.Errorf("loss %g with looked-up codes, %g with given ones", a, b)
	}
	r.tape.Backward(looked.Loss)
	if p := r.set.Lookup("mask_token"); !anyNonZero(p.Grad.Float32s()) {
		t.Error("the mask token has no gradient")
	}
	for _, p := range tok.set.Flat() {
		if anyNonZero(p.Grad.Float32s()) {
			t.Fatalf("the frozen tokenizer has a gradient in %s", p.Name)
		}
	}
}

// TestFrozenModelsIgnoreTraining checks that a tokenizer and a teacher with stochastic depth run in evaluation mode during a training
// step of another model.
func TestFrozenModelsIgnoreTraining(t *testing.T) {
	dev := tensor.CPU()
	cfg := tinyVQKD(256)
	cfg.Encoder.DropPath = 0.9
	set := nn.NewSet()
	tok := beit.NewVQKD(set.Scope().Sub("tokenizer"), cfg)
	vit := beit.NewViT(set.Scope().Sub("teacher"), cfg.Encoder)
	set.Build(dev, 5, nn.Inference)
	teacher, err := beit.NewRunTeacher(vit, cfg.Encoder, 3)
	if err != nil {
		t.Fatal(err)
	}
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	images := tensor.FromSlice(dev, testImages(8, 16), 8, 3, 16, 16)
	rows := tensor.FromInts(dev, []int32{0, 17, 40, 77, 90, 127}, 6)
	look := func(train bool) (codes, labels []int32, features []float32) {
		c := nn.Context{Tape: tape, Train: train, Seed: 3}
		all := tok.Codes(c, tape.Constant(images))
		defer all.Release()
		some := beit.CodeTarget{Tokenizer: tok}.Labels(c, images).(*beit.CodeLabels).Codes(tape, rows)
		y := teacher.Features(c, images)
		defer y.Release()
		return all.Ints(), some.Ints(), y.Float32s()
	}
	codes, labels, features := look(false)
	trainCodes, trainLabels, trainFeatures := look(true)
	if diff := cmp.Diff(codes, trainCodes) + cmp.Diff(labels, trainLabels) + cmp.Diff(features, trainFeatures); diff != "" {
		t.Errorf("evaluation and training differ:\n%s", diff)
	}
}

func anyNonZero(v []float32) bool {
	for _, x := range v {
		if x != 0 {
			return true
		}
	}
	return false
}

// TestFeatureTarget compares the loss with 1 − cosine similarity computed by hand.
func TestFeatureTarget(t *testing.T) {
	const batch = 2
	hog, err := beit.NewHOGRef(16, 4, 0)
	if err != nil {
		t.Fatal(err)
	}
	target := beit.FeatureTarget{Teacher: hog}
	cfg := aggregation(target.Dim())
	cfg.Aggregation.Depth, cfg.Aggregation.Layer = 0, 0
	r := newMIMRun(cfg, batch)
	defer r.tape.Reset()
	res := r.model.Forward(r.context(), r.tape.Constant(r.images), r.mask, target.Labels(r.context(), r.images))
	pred, features, d := res.LogitsMIM.Value().Float32s(), hog.Features(nn.Context{}, r.images).Float32s(), hog.Dim()
	want := 0.0
	rows := res.Rows.Ints()
	for i, row := range rows {
		var xy, xx, yy float64
		for j := range d {
			x, y := float64(pred[i*d+j]), float64(features[int(row)*d+j])
			xy, xx, yy = xy+x*y, xx+x*x, yy+y*y
		}
		want += (1 - xy/math.Sqrt(xx*yy)) / float64(len(rows))
	}
	if got := float64(res.Loss.Value().Item()); math.Abs(got-want) > 1e-5 {
		t.Errorf("loss %g, want %g", got, want)
	}
	if res.Aggregation != nil || res.LogitsAggregation != nil {
		t.Error("a plain model has a second head")
	}
}

// TestShuffledClassTokens checks that shuffled class tokens change the aggregation loss only, and that nothing changes with a batch of
// one.
func TestShuffledClassTokens(t *testing.T) {
	r := newMIMRun(aggregation(32), 3)
	defer r.tape.Reset()
	for _, name := range []string{"blocks.0.gamma_1", "cls_pt_layers.0.gamma_1"} { // strong attention, so that the class token matters
		r.set.Lookup(name).Value.Fill(20)
	}
	labels := beit.GivenCodes(make([]int32, len(r.mask)))
	images := r.tape.Constant(r.images)
	own := r.model.Forward(r.context(), images, r.mask, labels)
	shuffled := r.model.ForwardInput(r.context(), images, beit.MIMInput{Masked: r.mask, ShuffledCLS: true}, labels)
	if diff := cmp.Diff(own.LogitsMIM.Value().Float32s(), shuffled.LogitsMIM.Value().Float32s()); diff != "" {
		t.Error("shuffled class tokens change the MIM logits")
	}
	if cmp.Equal(own.LogitsAggregation.Value().Float32s(), shuffled.LogitsAggregation.Value().Float32s()) {
		t.Error("shuffled class tokens do not change the aggregation logits")
	}
	single := r.tape.Constant(r.images.Slice(0, 0, 1))
	a := r.model.Forward(r.context(), single, r.mask[:16], labels)
	b := r.model.ForwardInput(r.context(), single, beit.MIMInput{Masked: r.mask[:16], ShuffledCLS: true}, labels)
	if !cmp.Equal(a.LogitsAggregation.Value().Float32s(), b.LogitsAggregation.Value().Float32s()) {
		t.Error("a batch of one changes")
	}
}

// Patches that are hidden from the aggregation blocks change their predictions alone. With all hidden these know the image by its class token
// only: that of the next image gives the next image's predictions.
func TestHiddenPatches(t *testing.T) {
	for _, absolute := range []bool{false, true} {
		cfg := aggregation(32)
		cfg.ViT.AbsPos = absolute
		r := newMIMRun(cfg, 3)
		defer r.tape.Reset()
		for i := range r.mask { // the same patches of all images
			r.mask[i] = r.mask[i%16]
		}
		labels := beit.GivenCodes(make([]int32, len(r.mask)))
		run := func(in beit.MIMInput) (mim, aggregation []float32) {
			in.Masked = r.mask
			res := r.model.ForwardInput(r.context(), r.tape.Constant(r.images), in, labels)
			return res.LogitsMIM.Value().Float32s(), res.LogitsAggregation.Value().Float32s()
		}
		none, some, all := make([]bool, len(r.mask)), make([]bool, len(r.mask)), make([]bool, len(r.mask))
		for i := range all {
			some[i], all[i] = i%3 == 0, true
		}
		mim, open := run(beit.MIMInput{})
		if _, got := run(beit.MIMInput{Hidden: none}); !cmp.Equal(open, got) {
			t.Error("with no patch hidden other predictions than without a list of hidden ones")
		}
		for _, hidden := range [][]bool{some, all} {
			if same, got := run(beit.MIMInput{Hidden: hidden}); !cmp.Equal(mim, same) || cmp.Equal(open, got) {
				t.Errorf("MIM predictions stay: %v, those of the aggregation head too: %v", cmp.Equal(mim, same), cmp.Equal(open, got))
			}
		}
		_, own := run(beit.MIMInput{Hidden: all})
		_, shuffled := run(beit.MIMInput{Hidden: all, ShuffledCLS: true})
		n := len(own) / 3 // of an image
		if !cmp.Equal(own[n:], shuffled[:2*n]) || !cmp.Equal(own[:n], shuffled[2*n:]) || cmp.Equal(own[:n], own[n:2*n]) {
			t.Error("with all patches hidden the predictions are not those of the image whose class token they get")
		}
	}
}

// TestAggregationInit checks our default for the aggregation blocks: that of the other blocks, rescaled by depth. The authors' default is
// checked against the reference data.
// recorder is labels whose loss is the mean of the predictions, and which keeps for which patches they were asked.
type recorder struct{ asked [][]int32 }

func (l *recorder) Loss(pred *autograd.Var, rows *tensor.Tensor) *autograd.Var {
	l.asked = append(l.asked, rows.Ints())
	return autograd.Mean(autograd.Reshape(pred, -1), 0)
}

// TestVisiblePatches: patches that are not masked are predicted too, and their loss enters with its weight.
func TestVisiblePatches(t *testing.T) {
	r := newMIMRun(aggregation(32), 3)
	defer r.tape.Reset()
	run := func(weight float64) (beit.MIMResult, [][]int32) {
		labels := &recorder{}
		in := beit.MIMInput{Masked: r.mask, Visible: weight}
		return r.model.ForwardInput(r.context(), r.tape.Constant(r.images), in, labels), labels.asked
	}
	value := func(v *autograd.Var) float64 { return float64(v.Value().Float32s()[0]) }
	plain, asked := run(0)
	if plain.Visible != nil || len(asked) != 2 {
		t.Errorf("weight 0: visible patches have a loss: %v, %d losses", plain.Visible != nil, len(asked))
	}
	res, asked := run(0.25)
	var visible []int32
	for i, on := range r.mask {
		if !on {
			visible = append(visible, int32(i))
		}
	}
	if len(asked) != 3 || !cmp.Equal(asked[0], visible) {
		t.Fatalf("asked for %v; want the visible patches first: %v", asked, visible)
	}
	if !cmp.Equal(res.LogitsMIM.Value().Float32s(), plain.LogitsMIM.Value().Float32s()) || value(res.Visible) == value(res.MIM) {
		t.Error("the predictions of masked patches changed, or visible ones are those of masked patches")
	}
	want := value(res.MIM) + value(res.Aggregation) + 0.25*value(res.Visible)
	if got := value(res.Loss); math.Abs(got-want) > 1e-5*math.Abs(want) {
		t.Errorf("the loss is %g; want %g", got, want)
	}
}

func TestAggregationInit(t *testing.T) {
	cfg := aggregation(32)
	cfg.ViT.Width, cfg.ViT.Heads = 96, 3
	r := newMIMRun(cfg, 1)
	for i, depth := range []float64{3, 4} {
		prefix := "cls_pt_layers." + string(rune('0'+i)) + "."
		bound := 0.02 / math.Sqrt(2*depth)
		for _, name := range []string{"attn.proj", "mlp.fc2"} {
			largest := 0.0
			for _, v := range r.set.Lookup(prefix + name + ".weight").Value.Float32s() {
				largest = max(largest, math.Abs(float64(v)))
			}
			if largest > bound*1.0001 || largest < 0.99*bound {
				t.Errorf("%s%s: largest weight %g, want %g", prefix, name, largest, bound)
			}
			if anyNonZero(r.set.Lookup(prefix + name + ".bias").Value.Float32s()) {
				t.Errorf("%s%s: the bias is not zero", prefix, name)
			}
		}
	}
}

// TestFeaturesAreOfUnmaskedImages compares with the features computed from the parts of the model.
func TestFeaturesAreOfUnmaskedImages(t *testing.T) {
	r := newMIMRun(aggregation(32), 2)
	defer r.tape.Reset()
	images := r.tape.Constant(r.images)
	class, mean := r.model.Features(r.context(), images)
	blocks := r.model.AllBlocks(r.context(), images)
	all := r.model.Norm.Forward(r.context(), blocks[len(blocks)-1]).Value().Float32s() // [2, 17, 24]
	const d, tokens = 24, 17
	for b := range 2 {
		for i := range d {
			if got, want := class.Value().Float32s()[b*d+i], all[b*tokens*d+i]; got != want {
				t.Fatalf("class token of image %d: %g, want %g", b, got, want)
			}
			want := 0.0
			for n := 1; n < tokens; n++ {
				want += float64(all[(b*tokens+n)*d+i]) / (tokens - 1)
			}
			if got := float64(mean.Value().Float32s()[b*d+i]); math.Abs(got-want) > 1e-5 {
				t.Fatalf("mean of image %d: %g, want %g", b, got, want)
			}
		}
	}
}

// TestMIMWithoutMask checks the panic for an empty mask.
func TestMIMWithoutMask(t *testing.T) {
	r := newMIMRun(aggregation(32), 1)
	defer r.tape.Reset()
	defer func() {
		if got, ok := recover().(string); !ok || !strings.Contains(got, "masked") {
			t.Errorf("panic is %v", got)
		}
	}()
	r.model.Forward(r.context(), r.tape.Constant(r.images), make([]bool, 16), beit.GivenCodes(make([]int32, 16)))
}

// TestBlockMaskReversedBounds masks with a MinBlock above the number of patches left to mask.
func TestBlockMaskReversedBounds(t *testing.T) {
	cfg := beit.MaskConfig{Rows: 5, Cols: 7, Count: 9, MinBlock: 16}
	mask := make([]bool, 35)
	for seed := range uint64(200) {
		beit.BlockMask(cfg, tensor.NewRand(seed), mask)
		n := 0
		for _, on := range mask {
			if on {
				n++
			}
		}
		if n != cfg.Count {
			t.Fatalf("seed %d: %d patches masked, want %d", seed, n, cfg.Count)
		}
	}
}

// The label of a class token is the teacher's, and labels of patches are those without one.
func TestFeatureTargetOfClassToken(t *testing.T) {
	const batch = 2
	set := nn.NewSet()
	net := beit.NewDINO(set.Scope(), beit.DINOShape(tinyViT()))
	set.Build(tensor.CPU(), 3, nn.Inference)
	defer set.Release()
	teacher := beit.NewDINOTeacher(net)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	c := nn.Context{Tape: tape}
	view := tape.Own(tensor.FromSlice(tensor.CPU(), testImages(batch, 16), batch, 3, 16, 16)).Value()
	class := net.ClassToken(c, tape.Own(teacher.Preprocess(view)))
	patches := tape.Own(teacher.Features(c, view).Reshape(-1, teacher.Dim()))
	every := make([]int32, batch*16)
	for i := range every {
		every[i] = int32(i)
	}
	rows := tape.Own(tensor.FromInts(tensor.CPU(), every, len(every))).Value()
	labels := beit.FeatureTarget{Teacher: teacher, Class: true}.Labels(c, view).(beit.ClassLabels)
	for name, loss := range map[string]*autograd.Var{"class token": labels.ClassLoss(class), "patches": labels.Loss(patches, rows)} {
		if got := loss.Value().Item(); math.Abs(float64(got)) > 1e-5 {
			t.Errorf("%s: loss %g of the teacher's own features", name, got)
		}
	}
	if got := labels.ClassLoss(tape.Own(tensor.Sub(tensor.Zeros(tensor.CPU(), 1), class.Value()))).Value().Item(); math.Abs(float64(got)-2) > 1e-5 {
		t.Errorf("loss %g of opposite features, want 2", got)
	}
}

// namedLabels give losses that are known numbers: of patches how many there are.
type namedLabels struct{ class float32 }

func known(pred *autograd.Var, v float32) *autograd.Var {
	return pred.Tape().Own(tensor.Full(tensor.CPU(), v, 1))
}

func (l namedLabels) Loss(pred *autograd.Var, rows *tensor.Tensor) *autograd.Var {
	return known(pred, float32(rows.Size()))
}

func (l namedLabels) ClassLoss(pred *autograd.Var) *autograd.Var {
	return known(pred, l.class)
}

// A loss over more than the masked patches gives each token the same weight.
func TestMIMLossOverTokens(t *testing.T) {
	const batch, masked, seen, class = 2, 12, 20, 7.
	for over, want := range map[beit.MIMTokens]float64{
		beit.OverMasked: masked + 0.5*seen,
		beit.OverAll:    (masked*masked + seen*seen) / 32.,
		beit.OverAllCLS: (masked*masked + seen*seen + batch*class) / 34.,
	} {
		c := aggregation(8)
		c.Aggregation.Depth = 0
		r := newMIMRun(c, batch)
		in := beit.MIMInput{Masked: r.mask, Visible: 0.5, Over: over}
		res := r.model.ForwardInput(r.context(), r.tape.Constant(r.images), in, namedLabels{class})
		if got := float64(res.Loss.Value().Item()); math.Abs(got-want) > 1e-5 || (res.Class != nil) != (over == beit.OverAllCLS) {
			t.Errorf("over %d: loss %g, want %g; class %v", over, got, want, res.Class)
		}
		r.tape.Reset()
		r.set.Release()
	}
}
