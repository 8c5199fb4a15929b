//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/record"
)

// deviceOf wraps b as Open does.
func deviceOf(b *backend) *tensor.Device { return tensor.NewDevice(b) }

// works checks that b computes.
func works(t testing.TB, b *backend) {
	t.Helper()
	dev := deviceOf(b)
	x := tensor.FromSlice(dev, []float32{1, 2, 3}, 3)
	if got := tensor.Affine(x, 2, 1).Float32s(); got[2] != 7 {
		t.Errorf("2·3 + 1 = %v", got[2])
	}
	if err := dev.Sync(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestDeviceLost(t *testing.T) {
	for _, call := range []string{"submit", "wait"} {
		t.Run(call, func(t *testing.T) {
			b := openAny(t, Options{})
			dev := deviceOf(b)
			x := tensor.Full(dev, 1, 5)
			if err := dev.Sync(context.Background()); err != nil {
				t.Fatal(err)
			}
			b.inject = func(c string) int {
				if c == call {
					return -4
				}
				return 0
			}
			y := tensor.Affine(x, 2, 0)
			err := dev.Sync(context.Background())
			var failure *Error
			if !errors.As(err, &failure) || !errors.Is(err, ErrDeviceLost) || failure.Code != -4 || failure.Device != b.info.Name {
				t.Fatalf("Sync = %v", err)
			}
			for _, want := range []string{"device lost", "BEIT_VK_MAX_SUBMIT_MS", "Affine"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: does not speak of %s", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %v", err)
			}
			// From now on everything has the right shape and nothing happens.
			b.inject = nil
			z := tensor.Binary(tensor.BinaryAdd, y, tensor.Full(dev, 1, 5))
			if n := z.Size(); n != 5 {
				t.Errorf("%d elements, want 5", n)
			}
			func() {
				defer func() {
					if e, ok := recover().(error); !ok || !errors.Is(e, ErrDeviceLost) {
						t.Errorf("Float32s panics with %v, want the fault", e)
					}
				}()
				z.Float32s()
			}()
			z.Release()
			big := tensor.New(dev, 1<<20)
			big.Upload(make([]float32, 1<<20))
			big.Release()
			dev.Trim()
			if again := dev.Sync(context.Background()); again != err {
				t.Errorf("then %v, want the same error", again)
			}
		})
	}
}

func TestOutOfMemory(t *testing.T) {
	b := openAny(t, Options{MaxMemory: 8 << 20})
	dev := deviceOf(b)
	const quarter = 1 << 19 // elements of 2 MiB
	var held []*tensor.Tensor
	text := ""
	func() {
		defer func() { text = fmt.Sprint(recover()) }()
		for range 5 {
			held = append(held, tensor.Full(dev, 1, 4, quarter/4))
		}
	}()
	for _, want := range []string{"Full", "out of memory", "2.0 MiB asked", "free of 8.0 MiB", "lower the batch", "[4 131072]"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s: does not speak of %s", text, want)
		}
	}
	if strings.Contains(text, "\n") {
		t.Errorf("more than one line: %s", text)
	}
	if len(held) != 3 { // what is missing of the fourth went to the fault words
		t.Errorf("%d quarters of the memory could be had", len(held))
	}
	func() {
		defer func() { text = fmt.Sprint(recover()) }()
		tensor.New(dev, math.MaxInt/64)
	}()
	if !strings.Contains(text, "GiB asked") {
		t.Error(text)
	}
	// The device is as good as before: what is there can be used, and once it is released, memory of any size can be had.
	if got := held[0].Float32s()[quarter-1]; got != 1 {
		t.Errorf("got %v", got)
	}
	for _, x := range held {
		x.Release()
	}
	x := tensor.Full(dev, 2, 3*quarter)
	if got := x.Float32s()[3*quarter-1]; got != 2 {
		t.Errorf("got %v", got)
	}
	x.Release()
	works(t, b)
}

// A closed device refuses work like one that failed.
func TestClose(t *testing.T) {
	dev := deviceOf(openAny(t, Options{}))
	x := tensor.Full(dev, 1, 3)
	for range 2 {
		if err := Close(dev); err != nil {
			t.Error(err)
		}
	}
	y := tensor.Affine(x, 1, 1)
	func() {
		defer func() {
			if text := fmt.Sprint(recover()); !strings.Contains(text, "the device is closed") {
				t.Errorf("Float32s panics with %s", text)
			}
		}()
		y.Float32s()
	}()
	x.Release()
	dev.Trim()
	if err := dev.Sync(context.Background()); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("Sync = %v", err)
	}
	if err := Close(tensor.CPU()); err != nil {
		t.Error(err)
	}
}

// The driver says that memory is short: once, and then always.
func TestDriverOutOfMemory(t *testing.T) {
	b := openAny(t, Options{})
	dev := deviceOf(b)
	failures := 2 // a block, and one as small as can be
	b.inject = func(call string) int {
		if call == "allocate" && failures > 0 {
			failures--
			return -2
		}
		return 0
	}
	tensor.Full(dev, 1, 10<<20).Release() // the second try succeeds
	if failures != 0 {
		t.Error("no allocation failed")
	}
	dev.Trim()
	failures = 1 << 30
	defer func() {
		text := fmt.Sprint(recover())
		if !strings.Contains(text, "out of memory: 1") || !strings.Contains(text, "MiB asked") {
			t.Error(text)
		}
		failures = 0
		works(t, b)
	}()
	tensor.New(dev, 40<<20)
	t.Error("memory was had")
}

// An operation whose scratch memory cannot be had fails as a whole, and the device with it.
func TestScratchOutOfMemory(t *testing.T) {
	b := openAny(t, Options{MaxMemory: 4 << 20})
	b.Begin("Linear", tensor.Highest)
	b.dispatch(shaders.Fill, nil, flat(1), []uint32{1, 0}, b.temp(1<<22))
	b.End()
	err := b.Sync(context.Background())
	if !errors.Is(err, ErrOutOfMemory) || !strings.Contains(err.Error(), "Linear") || !strings.Contains(err.Error(), "16.0 MiB asked") {
		t.Errorf("Sync = %v", err)
	}
}

// Memory that the pool of tensors holds serves as scratch memory before an operation fails for want of it.
func TestScratchFromThePool(t *testing.T) {
	b := openAny(t, Options{MaxMemory: 64 << 20})
	dev := deviceOf(b)
	b.spill = dev.Trim
	tensor.Zeros(dev, 10<<20).Release()
	live := tensor.Zeros(dev, 4<<20)
	b.Begin("Linear", tensor.Highest)
	b.dispatch(shaders.Fill, nil, flat(1), []uint32{1, 0}, b.temp(4<<20))
	b.End()
	if err := b.Sync(context.Background()); err != nil {
		t.Error(err)
	}
	live.Release()
}

// A device may be lost between two pieces of an operation's scratch memory.
func TestDeviceLostWithinAnOperation(t *testing.T) {
	b := openAny(t, Options{})
	b.Begin("CodeStats", tensor.Highest)
	x := b.temp(64)
	b.inject = func(string) int { return -4 }
	b.dispatch(shaders.Fill, nil, flat(1), []uint32{64, 0}, x)
	if err := b.Sync(context.Background()); !errors.Is(err, ErrDeviceLost) {
		t.Fatalf("Sync = %v", err)
	}
	b.dispatch(shaders.Fill, nil, flat(1), []uint32{64, 0}, b.temp(64))
	b.End()
	if err := b.Sync(context.Background()); !errors.Is(err, ErrDeviceLost) {
		t.Errorf("Sync = %v", err)
	}
}

func TestBadIndexIsFound(t *testing.T) {
	for _, staged := range []string{"", "1"} {
		for _, look := range []string{"Sync", "download"} {
			t.Run(look+staged, func(t *testing.T) {
				t.Setenv("BEIT_VK_STAGING", staged)
				b := openAny(t, Options{})
				dev := deviceOf(b)
				x := tensor.Full(dev, 1, 3)
				if err := dev.Sync(context.Background()); err != nil {
					t.Fatal(err)
				}
				b.Begin("test", tensor.Highest) // a shader that sets the first fault word to 2
				word := b.fault().part(0, 1)
				word.writes = true
				b.dispatch(shaders.Fill, nil, flat(1), []uint32{1, 2}, word)
				b.End()
				if look == "download" {
					func() {
						defer func() {
							if e, ok := recover().(error); !ok || !errors.Is(e, ErrBadIndex) {
								t.Errorf("the download panics with %v", e)
							}
						}()
						x.Float32s()
					}()
				}
				err := dev.Sync(context.Background())
				if !errors.Is(err, ErrBadIndex) || !strings.Contains(err.Error(), "GatherRows") {
					t.Errorf("Sync = %v", err)
				}
			})
		}
	}
}

// The shaders set the word, and nothing but the look at it stands between them and the end.
func TestOperationsRefuseBadIndices(t *testing.T) {
	for _, index := range []int32{-1, 4} {
		b := openAny(t, Options{})
		dev := deviceOf(b)
		src, at := tensor.Full(dev, 1, 4, 3), tensor.FromInts(dev, []int32{1, index}, 2)
		if err := dev.Sync(context.Background()); err != nil {
			t.Fatal(err)
		}
		tensor.GatherRows(src, at)
		if err := dev.Sync(context.Background()); !errors.Is(err, ErrBadIndex) || !strings.Contains(err.Error(), "GatherRows") {
			t.Errorf("index %d: Sync = %v", index, err)
		}
	}
}

// What would outlast a watchdog is done in parts, with the same result.
func TestLongOperationsAreSplit(t *testing.T) {
	b := openAny(t, Options{})
	dev := deviceOf(b)
	r := tensor.NewRand(1)
	random := func(shape ...int) *tensor.Tensor {
		data := make([]float32, tensor.Shape(shape).Size())
		for i := range data {
			data[i] = float32(r.Uniform(-1, 1))
		}
		return tensor.FromSlice(dev, data, shape...)
	}
	x, w := random(2, 700, 20), random(2, 20, 9)
	qkv, bias, up := random(9, 20, 3*2*8), random(2, 20, 20), random(9, 20, 2*8)
	z, codebook := random(500, 4), random(70, 4)
	for name, do := range map[string]func() []float32{
		"MatMul": func() []float32 { return tensor.MatMul(x, w).Float32s() },
		"Attention": func() []float32 {
			f := tensor.Attention(tensor.AttentionArgs{QKV: qkv, Bias: bias, Heads: 2, Scale: 0.3})
			dqkv, dbias := tensor.New(dev, qkv.Shape()...), tensor.New(dev, bias.Shape()...)
			tensor.AttentionGrad(tensor.AttentionGradArgs{
				DQKV: tensor.Grad{To: dqkv}, DBias: tensor.Grad{To: dbias}, DOut: up, Out: f.Out, LSE: f.LSE, QKV: qkv, Bias: bias, Heads: 2, Scale: 0.3,
			})
			return slices.Concat(f.Out.Float32s(), f.LSE.Float32s(), dqkv.Float32s(), dbias.Float32s())
		},
		"NearestCode": func() (list []float32) {
			for _, code := range tensor.NearestCode(z, codebook).Ints() {
				list = append(list, float32(code))
			}
			return list
		},
	} {
		limited := func(limit float64) (y []float32, dispatches int) {
			b.batch.pacer = record.NewPacer(limit, time.Hour)
			before := b.recents
			y = do()
			return y, b.recents - before
		}
		whole, one := limited(1e12)
		parts, more := limited(100)
		if !slices.Equal(whole, parts) {
			t.Errorf("%s: the parts give another result than the whole", name)
		}
		if more < one+5 {
			t.Errorf("%s: %d commands for the whole, %d for the parts", name, one, more)
		}
	}
}

// The gradient of a bias is split by heads when it takes long, and by samples where one head alone would.
func TestBiasGradientIsSplit(t *testing.T) {
	b := openAny(t, Options{})
	dev := deviceOf(b)
	const samples, n, heads, d = 5, 35, 3, 8
	r := tensor.NewRand(1)
	random := func(shape ...int) *tensor.Tensor {
		data := make([]float32, tensor.Shape(shape).Size())
		for i := range data {
			data[i] = float32(r.Uniform(-1, 1))
		}
		return tensor.FromSlice(dev, data, shape...)
	}
	qkv, bias, up := random(samples, n, 3*heads*d), random(heads, n, n), random(samples, n, heads*d)
	f := tensor.Attention(tensor.AttentionArgs{QKV: qkv, Bias: bias, Heads: heads, Scale: 0.3})
	gradient := func(add bool) (values []float32, dispatches int) {
		dBias := tensor.Full(dev, 1, bias.Shape()...)
		before := b.recents
		tensor.AttentionGrad(tensor.AttentionGradArgs{
			DBias: tensor.Grad{To: dBias, Add: add}, DOut: up, Out: f.Out, LSE: f.LSE, QKV: qkv, Bias: bias, Heads: heads, Scale: 0.3,
		})
		return dBias.Float32s(), b.recents - before - 1 // the first shader makes what all gradients need
	}
	for _, add := range []bool{false, true} {
		b.batch.pacer = record.NewPacer(1e12, time.Hour)
		whole, one := gradient(add)
		b.batch.pacer = record.NewPacer(100, time.Nanosecond)
		byHead, more := gradient(add)
		if !slices.Equal(whole, byHead) {
			t.Error("the heads alone give another gradient")
		}
		b.caps.maxHead = 2 * 4 * n * n * d
		bySample, most := gradient(add)
		b.caps.maxHead = 4e9
		worst := 0.0
		for i := range whole {
			worst = max(worst, math.Abs(float64(whole[i]-bySample[i])))
		}
		if worst > 2e-6 {
			t.Errorf("two samples at a time give another gradient: %g apart", worst)
		}
		if one != 1 || more != heads || most != 3*heads {
			t.Errorf("%d, %d and %d dispatches, want 1, %d and %d", one, more, most, heads, 3*heads)
		}
	}
}

// What a driver does not allocate at once is refused by name, and blocks are no larger.
func TestLargestAllocation(t *testing.T) {
	b := openAny(t, Options{})
	if b.info.MaxAllocation < 1<<30 {
		t.Errorf("the driver allocates %d bytes at most: Vulkan asks for 1 GiB", b.info.MaxAllocation)
	}
	b, err := reopen(t, func(p *physical) { p.info.MaxAllocation = 20 << 20 })
	if err != nil {
		t.Fatal(err)
	}
	dev := deviceOf(b)
	func() {
		defer func() {
			failed, _ := recover().(error)
			text := fmt.Sprint(failed)
			if !errors.Is(failed, ErrOutOfMemory) || !strings.Contains(text, "24.0 MiB asked for one tensor, the driver gives at most 20.0 MiB at once") {
				t.Errorf("24 MiB: %v", failed)
			}
		}()
		tensor.New(dev, 6<<20)
	}()
	var all []*tensor.Tensor
	for range 4 {
		all = append(all, tensor.Full(dev, 1, 3<<20))
	}
	for id, block := range b.blocks {
		if id >= 0 && len(block.mapped) > 20<<20 {
			t.Errorf("a block of %d bytes", len(block.mapped))
		}
	}
	if got := all[3].Float32s()[3<<20-1]; got != 1 {
		t.Errorf("got %v", got)
	}
	works(t, b)
}

// Where a device may be slow, its first submission is short for every watchdog, at 2 GFLOP/s.
func TestFirstSubmission(t *testing.T) {
	for kind, most := range map[string]float64{"integrated": 1e9, "virtual": 1e9, "other": 1e9, "cpu": 1e8, "discrete": 50e9} {
		if got := firstSubmission(kind); got != most {
			t.Errorf("%s: %g, want %g", kind, got, most)
		}
	}
}

func TestMissingLimits(t *testing.T) {
	b := openAny(t, Options{})
	i, err := getInstance("test", false)
	if err != nil {
		t.Fatal(err)
	}
	good := i.Families(b.handle)
	tests := map[string]func(p *physical){
		"Vulkan 1.0.3, 1.1 is needed":                      func(p *physical) { p.properties.APIVersion = 1<<22 | 3; p.info.Vulkan = "1.0.3" },
		"64 invocations":                                   func(p *physical) { p.limits.MaxComputeWorkGroupInvocations = 64 },
		"8192 bytes of shared memory":                      func(p *physical) { p.limits.MaxComputeSharedMemorySize = 8192 },
		"64 bytes of push constants, 128 are needed":       func(p *physical) { p.limits.MaxPushConstantsSize = 64 },
		"a shader sees 4 buffers, 8 are needed":            func(p *physical) { p.limits.MaxPerStageDescriptorStorageBuffers = 4 },
		"16777216 bytes of a buffer, 134217727 are needed": func(p *physical) { p.limits.MaxStorageBufferRange = 1 << 24 },
	}
	for want, change := range tests {
		p := b.physical
		change(&p)
		if got := p.lacks(good); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := b.physical.lacks(nil); !strings.Contains(got, "no queue for compute") {
		t.Error(got)
	}
	if got := b.physical.lacks(good); got != "" {
		t.Error(got)
	}
}

// The context ends a wait; the device goes on.
func TestSyncCanBeCancelled(t *testing.T) {
	b := openAny(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	deviceOf(b).Sync(context.Background())
	if err := b.Sync(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Sync = %v", err)
	}
	if _, err := Open(ctx, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v", err)
	}
	works(t, b)
}
