//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/record"
)

// onPlacements runs a test on a device whose memory the host reads, and on one that it reaches through staging memory, as that of discrete cards.
// Work is only submitted where somebody waits for it.
func onPlacements(t *testing.T, test func(t *testing.T, b *backend, dev *tensor.Device)) {
	for _, staged := range []string{"", "1"} {
		t.Run("staged="+staged, func(t *testing.T) {
			t.Setenv("BEIT_VK_STAGING", staged)
			b := openAny(t, Options{})
			dev := deviceOf(b)
			if err := dev.Sync(context.Background()); err != nil {
				t.Fatal(err)
			}
			b.batch.pacer = record.NewPacer(1e18, time.Hour)
			test(t, b, dev)
			if err := dev.Sync(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
}

// pending is how many operations are recorded and not submitted.
func (b *backend) pending() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.batch.ops)
}

// Reading what was fetched does not wait for later work, which is not even submitted; other readings do.
func TestPrefetchWaitsForNothingLater(t *testing.T) {
	onPlacements(t, func(t *testing.T, b *backend, dev *tensor.Device) {
		src := tensor.Full(dev, 1, 4, 3)
		losses := tensor.Affine(tensor.FromSlice(dev, []float32{1, 2, 3, 4}, 4), 2, 0)
		codes := tensor.ArgMax(tensor.FromSlice(dev, []float32{0, 1, 5, 2}, 2, 2))
		rows := tensor.GatherRows(src, codes) // may set fault words
		one := losses.Slice(0, 2, 3)
		tensor.Prefetch(losses, codes, one, rows.T())
		later := tensor.GatherRows(src, codes.Clone())
		recorded := b.pending()
		if recorded == 0 {
			t.Fatal("nothing is recorded")
		}
		for range 2 {
			if got := losses.Float32s(); !slices.Equal(got, []float32{2, 4, 6, 8}) {
				t.Errorf("losses %v", got)
			}
			if got := one.Item(); got != 6 {
				t.Errorf("one of them %v", got)
			}
			if b.pending() != recorded {
				t.Fatal("a reading submitted later work")
			}
		}
		if got := later.Float32s(); !slices.Equal(got, []float32{1, 1, 1, 1, 1, 1}) {
			t.Errorf("later %v", got)
		}
		if b.pending() != 0 {
			t.Error("an ordinary reading left work behind")
		}
		if got := codes.Ints(); !slices.Equal(got, []int32{1, 0}) {
			t.Errorf("codes %v", got)
		}
		if got := rows.T().Float32s(); len(got) != 6 || got[5] != 1 {
			t.Errorf("a view with gaps %v", got)
		}
	})
}

// What changes after it was fetched is read as it is now: by an operation, by an upload, and in memory that has another tensor now.
func TestPrefetchSeesChanges(t *testing.T) {
	onPlacements(t, func(t *testing.T, b *backend, dev *tensor.Device) {
		fetched := func() *tensor.Tensor {
			x := tensor.Affine(tensor.Full(dev, 1, 300), 2, 0)
			tensor.Prefetch(x)
			return x
		}
		read := func(what string, x *tensor.Tensor, want float32) {
			t.Helper()
			if got := x.Float32s(); got[0] != want || got[299] != want {
				t.Errorf("%s: %v and %v, want %v", what, got[0], got[299], want)
			}
		}
		x := fetched()
		tensor.CopyInto(x, tensor.Full(dev, 5, 300))
		read("after a copy", x, 5)
		x = fetched()
		x.Upload(slices.Repeat([]float32{6}, 300))
		read("after an upload", x, 6)
		x = fetched()
		if err := dev.Sync(context.Background()); err != nil {
			t.Fatal(err)
		}
		x.Upload(slices.Repeat([]float32{7}, 300)) // the host writes it itself, where it can
		read("after an upload to an idle device", x, 7)
		x = fetched()
		x.Release()
		if err := dev.Sync(context.Background()); err != nil {
			t.Fatal(err)
		}
		read("of a tensor in the same memory", tensor.FromSlice(dev, slices.Repeat([]float32{8}, 300), 300), 8)
		x, y := fetched(), fetched()
		read("of an earlier call", x, 2)
		read("of the last call", y, 2)
		large := tensor.Full(dev, 9, mailBytes/4)
		tensor.Prefetch(large, x)
		if n := len(b.mail.letters); n != 1 {
			t.Errorf("%d tensors were fetched, want the small one", n)
		}
		read("beside a large one", x, 2)
		if got := large.Float32s(); got[len(got)-1] != 9 {
			t.Errorf("a large one: %v", got[len(got)-1])
		}
	})
}

// The fault words come with what was fetched: those of work before, while Sync has those of later work.
func TestPrefetchBringsFaults(t *testing.T) {
	for _, late := range []bool{false, true} {
		b := openAny(t, Options{})
		dev := deviceOf(b)
		x := tensor.Full(dev, 1, 3)
		bad := func() {
			b.Begin("test", tensor.Highest) // a shader that sets the first fault word to 2
			word := b.fault().part(0, 1)
			word.writes = true
			b.dispatch(shaders.Fill, nil, flat(1), []uint32{1, 2}, word)
			b.End()
		}
		if !late {
			bad()
		}
		tensor.Prefetch(x)
		if late {
			bad()
		}
		var failed error
		func() {
			defer func() { failed, _ = recover().(error) }()
			x.Float32s()
		}()
		if found := errors.Is(failed, ErrBadIndex); found == late || failed != nil && late {
			t.Errorf("a fault after Prefetch: %v; reading panics with %v", late, failed)
		}
		if err := dev.Sync(context.Background()); !errors.Is(err, ErrBadIndex) {
			t.Errorf("a fault after Prefetch: %v; Sync = %v", late, err)
		}
		tensor.Prefetch(x) // of a device that has failed: nothing
	}
}

// Work that is lost after Prefetch is lost for the reading.
func TestPrefetchOnALostDevice(t *testing.T) {
	b := openAny(t, Options{})
	x := tensor.Full(deviceOf(b), 1, 3)
	tensor.Prefetch(x)
	b.inject = func(string) int { return deviceLost }
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, ErrDeviceLost) {
			t.Errorf("reading panics with %v", err)
		}
	}()
	x.Float32s()
	t.Error("the reading has a result")
}
