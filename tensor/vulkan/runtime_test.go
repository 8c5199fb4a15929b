//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// Pipelines are built, descriptor sets filled and batches submitted while garbage is collected without end: memory that the binding would
// free too early is then freed at once.
func TestGarbageStorm(t *testing.T) {
	b := openAny(t, Options{})
	before := len(b.pipes.built)
	stop, storm := make(chan struct{}), sync.WaitGroup{}
	storm.Go(func() {
		var keep []byte
		for {
			select {
			case <-stop:
				runtime.KeepAlive(keep)
				return
			default:
				keep = make([]byte, 600<<10)
				runtime.GC()
			}
		}
	})
	for round := range uint32(300) {
		b.Begin("storm", tensor.Highest)
		x := b.temp(int(round)%7*64 + 64)
		b.dispatch(shaders.Fill, []uint32{round}, flat(1), []uint32{64, round}, x) // another constant is another pipeline
		b.End()
		if round%10 == 0 {
			if err := b.Sync(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(stop)
	storm.Wait()
	if n := len(b.pipes.built) - before; n != 300 {
		t.Errorf("%d pipelines, want 300", n)
	}
	works(t, b)
}

// A step like any other, a thousand times: memory, blocks, descriptor sets and pipelines stay as they were after the first ones.
func TestStepsLeaveNothingBehind(t *testing.T) {
	b := openAny(t, Options{})
	dev := deviceOf(b)
	p := tensor.Full(dev, 1, 33001)
	step := func() {
		x := tensor.FromSlice(dev, []float32{1, 2, 3, 4}, 4)
		y := tensor.Affine(p, 0.5, 0.5)
		z := tensor.Binary(tensor.BinaryMul, y, p)
		loss := tensor.Reduce(tensor.ReduceSum, z, 0)
		if got := loss.Item(); got != 33001 {
			t.Fatalf("loss %v", got)
		}
		for _, d := range []*tensor.Tensor{x, y, z, loss} {
			d.Release()
		}
		if err := dev.Sync(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	type figures struct {
		pool        tensor.MemStats
		blocks      int
		held, used  int64
		sets, pipes int
	}
	look := func() figures {
		s := b.arena.Stats()
		return figures{pool: dev.MemStats(), blocks: s.Blocks, held: s.Held, used: s.InUse, sets: len(b.sets.sets), pipes: len(b.pipes.built)}
	}
	for range 100 {
		step()
	}
	want, rss := look(), resident(t)
	for range 900 {
		step()
	}
	if got := look(); got != want {
		t.Errorf("after 1000 steps %+v\nafter 100 %+v", got, want)
	}
	if grown := resident(t) - rss; grown > 16<<20 {
		t.Errorf("the process grew by %d KiB", grown>>10)
	}
}

// resident is the memory that the process holds, 0 where the system does not say.
func resident(t *testing.T) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var total, pages int64
	if _, err := fmt.Sscan(string(text), &total, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// Goroutines share a device: each finds its own numbers, also while others wait.
func TestManyGoroutines(t *testing.T) {
	for _, staged := range []string{"", "1"} {
		t.Run("staged="+staged, func(t *testing.T) {
			t.Setenv("BEIT_VK_STAGING", staged)
			dev := deviceOf(openAny(t, Options{}))
			dev.SetPoison(true)
			var all sync.WaitGroup
			for g := range 8 {
				all.Go(func() {
					n := 1000*g + 1
					for round := range 20 {
						x := tensor.Full(dev, float32(g), n)
						y := tensor.Affine(x, 2, float32(round))
						for i, v := range y.Float32s() {
							if v != float32(2*g+round) {
								t.Errorf("goroutine %d, round %d: element %d is %v, want %d", g, round, i, v, 2*g+round)
								break
							}
						}
						x.Release()
						y.Release()
					}
				})
			}
			all.Wait()
			if err := dev.Sync(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
}

// Uploads larger than all staging memory, over memory that is being read, in the order of the operations.
func TestTransfersKeepOrder(t *testing.T) {
	for _, staged := range []string{"", "1"} {
		t.Run("staged="+staged, func(t *testing.T) {
			t.Setenv("BEIT_VK_STAGING", staged)
			dev := deviceOf(openAny(t, Options{}))
			const n = 3*stageBytes/4 + 5
			x := tensor.New(dev, n)
			data := make([]float32, n)
			var sums []*tensor.Tensor
			for round := range 3 {
				for i := range data {
					data[i] = float32(round + i%5)
				}
				x.Upload(data)
				clear(data) // Upload has read it
				sums = append(sums, tensor.Affine(x, 1, 10))
			}
			for round, y := range sums {
				for i, v := range y.Float32s() {
					if want := float32(10 + round + i%5); v != want {
						t.Fatalf("round %d: element %d is %v, want %v", round, i, v, want)
					}
				}
			}
		})
	}
}

func TestReport(t *testing.T) {
	t.Setenv("BEIT_VK_DISABLE_F16", "1")
	b := openAny(t, Options{})
	for _, want := range []string{b.info.Name, b.info.Driver, "to use", "F16 is switched off by BEIT_VK_DISABLE_F16", "high and medium run as highest"} {
		if got := b.Report(); !strings.Contains(got, want) {
			t.Errorf("%s\ndoes not speak of %q", got, want)
		}
	}
}

// BenchmarkRecord is the host's cost of one dispatch that needs a barrier, with its binding and its place in the command buffer.
func BenchmarkRecord(b *testing.B) {
	d := openAny(b, Options{})
	if err := d.Sync(context.Background()); err != nil {
		b.Fatal(err)
	}
	const batch = 1000
	d.Begin("benchmark", tensor.Highest)
	x, y := d.temp(256), d.temp(256)
	d.End()
	d.batch.pacer.Add(-1e18) // nothing is submitted
	i := 0
	for b.Loop() {
		from, to := x, y
		if i%2 == 1 {
			from, to = y, x
		}
		d.dispatch(shaders.Affine, nil, flat(1), []uint32{256, f(1), f(0)}, to, from.read())
		if i++; i%batch == 0 {
			d.calls.Record(d.batch.slots[0].commands, d.batch.ops, 0, 0)
			for _, op := range d.batch.ops[1:] {
				if op.Barrier == 0 {
					b.Fatal("no barrier")
				}
			}
			d.batch.ops = d.batch.ops[:0]
		}
	}
	d.batch.ops = d.batch.ops[:0]
}
