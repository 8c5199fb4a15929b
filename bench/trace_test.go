package bench

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// What a step of ViT-B with a batch of 64 gives a Vulkan device to do: no more than this. It is counted, not executed, so any driver will do; the counts
// are those of a discrete GPU. The time that the host takes is shown, and not tested.
func TestStepCounts(t *testing.T) {
	if os.Getenv("BEIT_REQUIRE_RADV") != "1" {
		t.Skip("it takes half a minute: stage gpu of .ci/run sets BEIT_REQUIRE_RADV=1")
	}
	for _, c := range []struct {
		name      string
		precision tensor.Precision
		most      vulkan.Counts
	}{
		{"highest", tensor.Highest, vulkan.Counts{Dispatches: 593, Transfers: 72, Barriers: 441, Bytes: 80_200_000_000, Submissions: 150, Waits: 2}},
		{"medium", tensor.Medium, vulkan.Counts{Dispatches: 826, Transfers: 72, Barriers: 602, Bytes: 115_800_000_000, Submissions: 150, Waits: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dev, err := vulkan.OpenTrace(context.Background(), vulkan.Options{Device: "0", MaxMemory: 128 << 30})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := vulkan.Close(dev); err != nil {
					t.Error(err)
				}
			}()
			g := newGiven(dev, "base_300e", 64, c.precision)
			g.step() // builds pipelines
			if err := dev.Sync(context.Background()); err != nil {
				t.Fatal(err)
			}
			before, start := vulkan.CountsOf(dev), time.Now()
			g.step()
			err = dev.Sync(context.Background())
			took, after := time.Since(start), vulkan.CountsOf(dev)
			g.release()
			if err != nil {
				t.Fatal(err)
			}
			got := vulkan.Counts{
				Dispatches: after.Dispatches - before.Dispatches, Transfers: after.Transfers - before.Transfers, Barriers: after.Barriers - before.Barriers,
				Bytes: after.Bytes - before.Bytes, Submissions: after.Submissions - before.Submissions, Waits: after.Waits - before.Waits,
			}
			t.Logf("%+v, %v of the host", got, took)
			if got.Dispatches == 0 || got.Bytes == 0 {
				t.Error("nothing was counted")
			}
			for _, one := range []struct {
				what      string
				got, most int64
			}{
				{"dispatches", int64(got.Dispatches), int64(c.most.Dispatches)}, {"transfers", int64(got.Transfers), int64(c.most.Transfers)},
				{"barriers", int64(got.Barriers), int64(c.most.Barriers)}, {"bytes bound", got.Bytes, c.most.Bytes},
				{"submissions", int64(got.Submissions), int64(c.most.Submissions)}, {"waits", int64(got.Waits), int64(c.most.Waits)},
			} {
				if one.got > one.most {
					t.Errorf("%d %s, at most %d are allowed", one.got, one.what, one.most)
				}
			}
		})
	}
}
