package infer

import (
	"fmt"
	"image"
	"math"
	"sync"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn"
)

// Teacher is the teacher whose features the decoder of a tokenizer learned to rebuild: it says how well the decoder does it. Tokenizer.OpenTeacher
// opens one. Many goroutines may use it at once.
type Teacher struct {
	tok     *Tokenizer
	teacher beit.Teacher
	release func()

	use    sync.RWMutex // read-locked by running calls, locked by Close
	closed bool
}

// OpenTeacher opens the teacher that the tokenizer learned from. Where that is a model, it is opened by open, or by model.Open if open is nil. Not
// every tokenizer's teacher can be opened: a published tokenizer does not say where its teacher is. Close the result before the tokenizer.
func (t *Tokenizer) OpenTeacher(open method.Opener) (*Teacher, error) {
	if err := t.net().opened(); err != nil {
		return nil, err
	}
	if open == nil {
		open = model.Opener()
	}
	m, err := model.Open(t.path, model.Key(t.key))
	if err != nil {
		return nil, fmt.Errorf("open teacher: %w", err)
	}
	defer m.Close()
	who := &Teacher{tok: t}
	if who.teacher, who.release, err = model.OpenTeacher(t.set, m, open); err != nil {
		return nil, fmt.Errorf("open teacher: %w", err)
	}
	return who, nil
}

// Name is the name of the teacher in configurations, such as "hog"; empty for a Teacher that was not opened.
func (t *Teacher) Name() string {
	if t == nil || t.teacher == nil {
		return ""
	}
	return t.teacher.Name()
}

// Cosines returns for each patch of an image the cosine of the angle between the decoder's output and the teacher's feature, Rows·Cols numbers,
// row-major. The reconstruction loss is 1 minus their mean.
func (t *Teacher) Cosines(img image.Image) ([]float32, error) {
	if t == nil || t.teacher == nil {
		return nil, errNotOpened
	}
	t.use.RLock()
	defer t.use.RUnlock()
	if t.closed {
		return nil, fmt.Errorf("teacher %s: %w", t.Name(), ErrClosed)
	}
	list, err := encodeBatch(t.tok.net(), []image.Image{img}, t.cosines)
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// cosines are Cosines of images [B, 3, S, S] in [0, 1].
func (t *Teacher) cosines(c nn.Context, images *autograd.Var) ([][]float32, error) {
	target := c.Tape.Own(t.teacher.Features(c, images.Value())).Value() // [B, N, C]
	made := t.tok.model.Forward(c, images, target).Reconstruction.Value().Float32s()
	want, dim := target.Float32s(), t.teacher.Dim()
	b := images.Shape()[0]
	n := len(want) / dim / b
	list := make([][]float32, b)
	for i := range list {
		for row := i * n; row < (i+1)*n; row++ {
			v := cosine(made[row*dim:(row+1)*dim], want[row*dim:(row+1)*dim])
			if math.IsNaN(v) {
				return nil, fmt.Errorf("%s: the decoder's output is not finite: the weights are damaged, or the training diverged", t.tok.path)
			}
			list[i] = append(list[i], float32(v))
		}
	}
	return list, nil
}

// Close waits for running calls and frees the teacher's memory. Later calls fail with ErrClosed. A second Close does nothing.
func (t *Teacher) Close() error {
	if t == nil || t.teacher == nil {
		return nil
	}
	t.use.Lock()
	defer t.use.Unlock()
	if !t.closed {
		t.closed = true
		t.release()
	}
	return nil
}
