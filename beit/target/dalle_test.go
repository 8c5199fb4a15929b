package target

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// openDALLE is the target of a tiny encoder with 23 codes.
func openDALLE(t *testing.T) (kind Kind, made beit.Target) {
	t.Helper()
	m, err := weights.Open(traintest.DALLE(t))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	network, set, err := m.Build(tensor.CPU())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Release)
	kind, _ = Find(DALLE)
	return kind, kind.New(Sources{DALLE: network.(*beit.DALLE)})
}

// shown are synthetic images as a view shows them, [n, 3, S, S].
func shown(n int, v data.View) *tensor.Tensor {
	v.Name = "image"
	show := &data.Eval{Whole: true, Views: []data.View{v}}
	ds := data.Procedural(n, 64, 4)
	var pixels []float32
	for i := range n {
		s, err := ds.Sample(i)
		if err != nil {
			panic(err) // synthetic images do not fail
		}
		one := make([]float32, 3*v.Size*v.Size)
		show.Apply(data.Tensors{{Float32: one}}, s, nil)
		pixels = append(pixels, one...)
	}
	return tensor.FromSlice(tensor.CPU(), pixels, n, 3, v.Size, v.Size)
}

// The loss of given predictions is the mean cross-entropy with the codes of the rows, as float64 has it.
func TestDALLELoss(t *testing.T) {
	kind, target := openDALLE(t)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	c := nn.Context{Tape: tape}
	const images, grid = 3, 4
	view := tape.Own(shown(images, kind.View(grid))).Value()
	if target.Dim() != 23 || view.Dim(-1) != 8*grid {
		t.Fatalf("%d codes, images of %d", target.Dim(), view.Dim(-1))
	}
	codes := target.(Slow).CodesOf(c, view)
	if len(codes) != images*grid*grid {
		t.Fatalf("%d codes", len(codes))
	}
	checkCrossEntropy(t, tape, target.Labels(c, view), codes, 23, images*grid*grid)
}

// checkCrossEntropy compares the loss of labels, of some of n patches, with the mean cross-entropy of their codes in float64.
func checkCrossEntropy(t *testing.T, tape *autograd.Tape, labels beit.Labels, codes []int32, classes, n int) {
	t.Helper()
	rows := []int32{1, 7, 15, 16, 40, int32(n - 1)}
	r := tensor.NewRand(2)
	pred := make([]float32, len(rows)*classes)
	for i := range pred {
		pred[i] = float32(r.Norm())
	}
	want := 0.0
	for i, row := range rows {
		sum := 0.0
		for _, v := range pred[classes*i : classes*(i+1)] {
			sum += math.Exp(float64(v))
		}
		want += (math.Log(sum) - float64(pred[classes*i+int(codes[row])])) / float64(len(rows))
	}
	logits := tape.Own(tensor.FromSlice(tensor.CPU(), pred, len(rows), classes))
	index := tape.Own(tensor.FromInts(tensor.CPU(), rows, len(rows))).Value()
	if got := float64(labels.Loss(logits, index).Value().Item()); math.Abs(got-want) > 1e-6 {
		t.Errorf("loss %g, want %g", got, want)
	}
}

// A network of BEiT v1 learns eight images with their masks by heart, from codes of the encoder.
func TestDALLEOverfitsEightImages(t *testing.T) {
	kind, target := openDALLE(t)
	view := shown(8, kind.View(4))
	defer view.Release()
	overfit(t, target, view, 250)
}

// overfit wants a network to learn eight images with their masks by heart in so many steps, from labels that a target with 23 codes makes of view.
func overfit(t *testing.T, target beit.Target, view *tensor.Tensor, steps int) {
	t.Helper()
	vit := beit.ViTConfig{
		ImageSize: 16, PatchSize: 4, Channels: 3, Width: 48, Depth: 3, Heads: 3, MLPRatio: 4, QKVBias: true, LayerScale: 0.1, RelPos: beit.RelPosShared,
	}
	set := nn.NewSet()
	model := beit.NewMIM(set.Scope(), beit.MIMConfig{ViT: vit, Vocab: target.Dim()})
	set.Build(tensor.CPU(), 1, nn.Training)
	defer set.Release()
	const images = 8
	mask := make([]bool, images*vit.Tokens())
	for i := range images {
		beit.BlockMask(beit.MaskConfig{Rows: 4, Cols: 4, Count: 6, MinBlock: 4}, tensor.NewRand(3, uint64(i)), mask[i*vit.Tokens():(i+1)*vit.Tokens()])
	}
	student := shown(images, data.View{Size: 16, Filter: data.Bicubic, Norm: data.ImageNet})
	defer student.Release()
	opt := optim.NewAdamW(set, optim.AdamWConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Clip: 3})
	defer opt.Release()
	tape := autograd.NewTape(tensor.CPU())
	var first, last float64
	for step := range steps {
		c := nn.Context{Tape: tape, Train: true}
		set.ZeroGrad()
		r := model.Forward(c, tape.Constant(student), mask, target.Labels(c, view))
		tape.Backward(r.Loss)
		opt.Step(3e-3)
		if last = float64(r.Loss.Value().Item()); step == 0 {
			first = last
		}
		tape.Reset()
	}
	if math.Abs(first-math.Log(23)) > 0.3 || !(last < 0.05) {
		t.Errorf("loss from %g, wanted near %g, to %g", first, math.Log(23), last)
	}
	t.Logf("loss from %g to %g", first, last)
}
