package bench

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// What a step of ViT-B with a batch of 64 gives a Vulkan device to do: no more than this. It is counted, not executed, so any driver will do; the counts
// are those of a discrete GPU. The time that the host takes is shown, and not tested.
//
// Cycles are what Intel's compiler for an A770 (dg2) and a B580 (bmg) estimates for all workgroups, whose tiles are those for the driver at hand.
func TestStepCounts(t *testing.T) {
	if os.Getenv("BEIT_REQUIRE_RADV") != "1" {
		t.Skip("it takes half a minute: stage gpu of .ci/run sets BEIT_REQUIRE_RADV=1")
	}
	for _, c := range []struct {
		name      string
		precision tensor.Precision
		most      vulkan.Counts
		cycles    map[string]float64 // by GPU, in 10⁹
	}{
		{
			"highest", tensor.Highest,
			vulkan.Counts{Dispatches: 593, Transfers: 72, Barriers: 441, Bytes: 80_200_000_000, Submissions: 150, Waits: 2},
			map[string]float64{"dg2": 5140, "bmg": 3090},
		},
		{
			"medium", tensor.Medium,
			vulkan.Counts{Dispatches: 798, Transfers: 72, Barriers: 602, Bytes: 103_100_000_000, Submissions: 150, Waits: 2},
			map[string]float64{"dg2": 8280, "bmg": 6000},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, workgroups := countStep(t, c.precision)
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
			for gpu, most := range c.cycles {
				if got := cycles(t, gpu, workgroups); got > most || got < most/2 {
					t.Errorf("%.1f·10⁹ cycles on %s, at most %.1f are allowed, and less than half of that is no figure", got, gpu, most)
				}
			}
		})
	}
}

// countStep counts what a step gives a device, and how many workgroups of each pipeline.
func countStep(t *testing.T, p tensor.Precision) (counts vulkan.Counts, workgroups map[string]int64) {
	t.Helper()
	dev, err := vulkan.OpenTrace(t.Context(), vulkan.Options{Device: "0", MaxMemory: 128 << 30})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := vulkan.Close(dev); err != nil {
			t.Error(err)
		}
	}()
	g := newGiven(dev, "base_300e", 64, p)
	defer g.release()
	g.step() // builds pipelines
	if err := dev.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, earlier, start := vulkan.CountsOf(dev), vulkan.WorkgroupsOf(dev), time.Now()
	g.step()
	if err := dev.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	took, after := time.Since(start), vulkan.CountsOf(dev)
	workgroups = vulkan.WorkgroupsOf(dev)
	for name, n := range earlier {
		if workgroups[name] -= n; workgroups[name] == 0 {
			delete(workgroups, name)
		}
	}
	counts = vulkan.Counts{
		Dispatches: after.Dispatches - before.Dispatches, Transfers: after.Transfers - before.Transfers, Barriers: after.Barriers - before.Barriers,
		Bytes: after.Bytes - before.Bytes, Submissions: after.Submissions - before.Submissions, Waits: after.Waits - before.Waits,
	}
	t.Logf("%+v, %v of the host", counts, took)
	return counts, workgroups
}

// cycles adds up what workgroups of pipelines take by the committed table of a compiler of Intel's. Its model counts the cycles of a subgroup of so many
// lanes, with each branch taken and each loop ten times; a workgroup has as many subgroups as hold its invocations. It logs the shares of shaders.
func cycles(t *testing.T, gpu string, workgroups map[string]int64) float64 {
	t.Helper()
	workgroups = maps.Clone(workgroups)
	table, err := os.ReadFile(filepath.Join("..", "tensor", "vulkan", "testdata", "compiled", gpu+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	total, shares := 0.0, map[string]float64{} // in 10⁹
	for line := range strings.Lines(string(table)) {
		name, figures, _ := strings.Cut(line, ": ")
		n := workgroups[name]
		if n == 0 {
			continue
		}
		delete(workgroups, name)
		words := strings.Fields(name)
		invocations := 128
		if strings.HasPrefix(words[0], "gemm") { // they have their own number
			if invocations, err = strconv.Atoi(words[1]); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		var lanes, instructions, cycles int
		if _, err := fmt.Sscanf(figures, "%d lanes, %d instructions, %d cycles", &lanes, &instructions, &cycles); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		c := float64(n) * float64((invocations+lanes-1)/lanes) * float64(cycles) / 1e9
		shares[words[0]] += c
		total += c
	}
	for name := range workgroups {
		t.Errorf("there is no %s in the table of %s: .ci/gpu-compilers makes it, of what tensor/vulkan's AskForAll asks for", name, gpu)
	}
	t.Logf("%s: %.1f·10⁹ cycles", gpu, total)
	for _, name := range slices.Sorted(maps.Keys(shares)) {
		if shares[name] > total/100 {
			t.Logf("%s: %.1f of them in %s", gpu, shares[name], name)
		}
	}
	return total
}
