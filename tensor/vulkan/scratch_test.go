//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"os"
	"testing"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// openAny opens the first device that there is, for tests of what is inside.
func openAny(t testing.TB, o Options) *backend {
	t.Helper()
	for _, name := range []string{"VK_ICD_FILENAMES", "VK_DRIVER_FILES", "BEIT_REQUIRE_VULKAN"} {
		os.Getenv(name) // go test must not answer from its cache when these change
	}
	if o.Device == "" {
		o.Device = "0"
	}
	dev, err := Open(context.Background(), o)
	if err != nil {
		if os.Getenv("BEIT_REQUIRE_VULKAN") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Cleanup(func() { _ = Close(dev) }) // a test that breaks the device has looked at its error
	return dev.Backend().(*backend)
}

// Scratch memory stays the operation's own when its work is submitted half-way, and is used again by the next.
func TestScratchOutlivesASubmission(t *testing.T) {
	b := openAny(t, Options{})
	use := func() (first, second arg) {
		b.Begin("test", tensor.Highest)
		defer b.End()
		first = b.temp(64)
		b.dispatch(shaders.Fill, nil, flat(1), []uint32{64, f(1)}, first)
		b.mu.Lock()
		b.flush()
		b.mu.Unlock()
		second = b.temp(64)
		b.dispatch(shaders.Fill, nil, flat(1), []uint32{64, f(2)}, second)
		return first, second
	}
	a1, a2 := use()
	b1, b2 := use()
	if a1.a.Region == a2.a.Region || b1.a.Region == b2.a.Region {
		t.Errorf("one operation got one piece of scratch memory twice: %+v", a1.a)
	}
	if a1.a.Region != b1.a.Region || a2.a.Region != b2.a.Region {
		t.Errorf("the next operation got other memory: %+v %+v, then %+v %+v", a1.a, a2.a, b1.a, b2.a)
	}
	if err := b.Sync(context.Background()); err != nil {
		t.Error(err)
	}
}
