package infer

import (
	"image"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/nn"
)

// A network that is no transformer says so.
func TestNoAttention(t *testing.T) {
	tower := &Tower{network: network{path: "dvae.pth", set: nn.NewSet()}, model: "no transformer"}
	if n := tower.Blocks(); n != 0 {
		t.Errorf("%d blocks", n)
	}
	_, err := tower.Attention(image.NewGray(image.Rect(0, 0, 4, 4)), 0)
	if err == nil || !strings.Contains(err.Error(), "dvae.pth: holds a network without attention weights") {
		t.Errorf("error %v", err)
	}
}
