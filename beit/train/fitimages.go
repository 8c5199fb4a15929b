package train

import (
	"errors"
	"strings"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
)

// openAndHoldOut opens the images of a new run. Where they have no validation part and nobody said how many of them validate, some are set aside. A
// single image stays whole.
func (l *loop) openAndHoldOut(given *data.Source) (*method.Images, error) {
	c := l.env.Config
	size := l.env.Method.ImageSize(c)
	heldOut := c.HoldOut()
	images, err := method.OpenImagesToTrain(c, size, given)
	if !heldOut || err != nil && !errors.Is(err, data.ErrTooFew) {
		return images, err
	}
	if err != nil {
		c.Data.ValFraction = 0
		return method.OpenImagesToTrain(c, size, given)
	}
	if images.Split {
		l.note("the images have no validation part: %d of them are set aside; set data.val_fraction to choose how many, 0 for none", images.Val.Len())
	} else {
		c.Data.ValFraction = 0
	}
	return images, nil
}

// fitImages lets settings follow from the number of training images.
func (l *loop) fitImages() {
	c, n := l.env.Config, l.env.Train.Len()
	if changed := c.FitImages(n); len(changed) > 0 {
		l.note("for %d training images (in brackets preset %s): %s; set these keys to choose yourself", n, c.Preset, strings.Join(changed, ", "))
	}
}
