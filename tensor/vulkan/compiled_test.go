//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor/vulkan"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata/compiled")

// families are the GPUs whose code Debian's RADV makes without one, of each generation that it knows: GCN 4, RDNA 1, 2 and 3.
var families = []string{"polaris10", "navi10", "navi21", "gfx1100"}

func init() {
	roles["pipelines"] = func() {
		dev, err := vulkan.OpenTrace(context.Background(), vulkan.Options{Device: "0"})
		if err == nil {
			vulkan.AskForAll(dev)
			err = dev.Sync(context.Background())
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		for _, p := range vulkan.Asked(dev) {
			fmt.Println(p)
		}
	}
	roles["compile"] = func() {
		var all []vulkan.Pipeline
		for _, name := range strings.Split(os.Getenv("BEIT_VK_TEST_PIPELINES"), "\n") {
			all = append(all, vulkan.PipelineOf(name))
		}
		driver, err := vulkan.Compile(all, func(p vulkan.Pipeline, s map[string]uint64, assembly string) {
			fmt.Printf("%v: %d VGPRs, occupancy %d, %d B shared, %d B code, %d selects, %d spills, %d B scratch\n", p, s["VGPRs"], s["Subgroups per SIMD"],
				s["LDS size"], s["Code size"], selects(assembly), s["Spilled VGPRs"]+s["Spilled SGPRs"], s["Scratch size"])
		})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("driver:", driver)
	}
}

var (
	blockStart = regexp.MustCompile(`^BB\d+:`)
	fromShared = regexp.MustCompile(`^\s*ds_(read|load)`)
	multiply   = regexp.MustCompile(`v_(dual_)?(fma|fmac|mac|mad)(_legacy)?_(f32|mix)`)
)

// selects counts the choices between registers in those blocks of AMD's assembly that multiply what they read from shared memory. There a compiler
// chooses among accumulators if it does not know which one is meant, at every multiply-add.
func selects(assembly string) int {
	var reads, products bool
	count, total := 0, 0
	end := func() {
		if reads && products {
			total += count
		}
		reads, products, count = false, false, 0
	}
	for line := range strings.Lines(assembly) {
		switch {
		case blockStart.MatchString(line):
			end()
		case fromShared.MatchString(line):
			reads = true
		case multiply.MatchString(line):
			products = true
		case strings.Contains(line, "v_cndmask") || strings.Contains(line, "v_movrel"):
			count++
		}
	}
	end()
	return total
}

func TestSelectsAreSeen(t *testing.T) {
	const ladder = "BB0:\n\tds_read_b32 v1, v2\nBB1:\n\tds_read_b32 v1, v2\n\tv_cndmask_b32_e32 v3, v4, v5, vcc\n\tv_fmac_f32_e32 v3, v1, v6\n\tv_cndmask_b32_e32 v4, v3, v4, vcc\n"
	if got := selects(ladder); got != 2 {
		t.Errorf("%d selects, want 2", got)
	}
	if got := selects("BB0:\n\tv_cndmask_b32 v1\n\tv_fma_f32 v2\nBB1:\n\tds_load_b32 v1\n\tv_mad_u32_u24 v1\n\tv_cndmask_b32 v1\n"); got != 0 {
		t.Errorf("%d selects where no product reads shared memory", got)
	}
}

// driverOf is the driver that a table is of.
func driverOf(table string) string {
	_, name, _ := strings.Cut(table, "\ndriver: ")
	return strings.TrimSpace(name)
}

// What AMD's compiler makes of every pipeline that the backend asks for is what the tables of testdata/compiled say, and it keeps everything in
// registers. Where a change of a shader is meant, -update writes the tables anew: their diff is to be looked at.
func TestCompiled(t *testing.T) {
	if os.Getenv("BEIT_REQUIRE_RADV") != "1" {
		t.Skip("it takes half a minute: stage gpu of .ci/run sets BEIT_REQUIRE_RADV=1")
	}
	drivers, _ := filepath.Glob("/usr/share/vulkan/icd.d/radeon_icd*.json")
	if len(drivers) == 0 {
		t.Fatal("there is no RADV: install mesa-vulkan-drivers")
	}
	pipelines := strings.Split(inEnvironment(t, "pipelines"), "\n")
	slices.Sort(pipelines)
	for _, s := range shaders.All() {
		if !s.Cooperative && !slices.ContainsFunc(pipelines, func(p string) bool { return p == s.Name || strings.HasPrefix(p, s.Name+" ") }) {
			t.Errorf("nothing asks for shader %s: AskForAll needs a use of it", s.Name)
		}
	}
	for _, family := range families {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			got := inEnvironment(t, "compile", "VK_ICD_FILENAMES="+drivers[0], "VK_DRIVER_FILES="+drivers[0], "RADV_FORCE_FAMILY="+family,
				"MESA_SHADER_CACHE_DISABLE=true", "BEIT_VK_CACHE=off", "BEIT_VK_TEST_PIPELINES="+strings.Join(pipelines, "\n")) + "\n"
			for line := range strings.Lines(got) {
				name, figures, _ := strings.Cut(strings.TrimSpace(line), ": ")
				if name == "driver" {
					continue
				}
				if !strings.HasSuffix(figures, ", 0 spills, 0 B scratch") {
					t.Errorf("%s is not kept in registers: %s", name, figures)
				}
				if !strings.Contains(figures, ", 0 selects, ") {
					t.Errorf("%s chooses between accumulators: %s", name, figures)
				}
			}
			path := filepath.Join("testdata", "compiled", family+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := driverOf(got), driverOf(string(want)); got != want {
				t.Errorf("the tables are of %s, this is %s: make them anew", want, got)
			}
			if !bytes.Equal(want, []byte(got)) {
				t.Errorf("look at what changed; if it is meant, run `BEIT_REQUIRE_RADV=1 go test ./tensor/vulkan -run TestCompiled -update` (-table +now):\n%s",
					cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")))
			}
		})
	}
}
