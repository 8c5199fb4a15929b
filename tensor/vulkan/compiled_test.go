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
			fmt.Printf("%v: %s\n", p, figures(s, assembly))
		})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("driver:", driver)
	}
}

// figures tells what a compiler's statistics of a pipeline say, by the names that RADV, ANV and NVK have for them. ANV estimates the cycles that a subgroup
// takes, by a model of its own.
func figures(s map[string]uint64, assembly string) string {
	switch {
	case s["VGPRs"] > 0:
		return fmt.Sprintf("%d VGPRs, occupancy %d, %d B shared, %d B code, %d selects, %d spills, %d B scratch", s["VGPRs"], s["Subgroups per SIMD"],
			s["LDS size"], s["Code size"], selects(assembly), s["Spilled VGPRs"]+s["Spilled SGPRs"], s["Scratch size"])
	case s["Cycle Count"] > 0:
		return fmt.Sprintf("%d lanes, %d instructions, %d cycles, %d spills, %d B scratch", s["Max dispatch width"], s["Instruction Count"], s["Cycle Count"],
			s["Spill Count"]+s["Fill Count"], s["Scratch Memory Size"])
	}
	return fmt.Sprintf("%d registers, %d instructions, %d B scratch", s["Number of GPRs"], s["Instruction count"], s["SLM Size"])
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
	pipelines := allPipelines(t)
	for _, s := range shaders.All() {
		if !s.Cooperative && !slices.ContainsFunc(pipelines, func(p string) bool { return p == s.Name || strings.HasPrefix(p, s.Name+" ") }) {
			t.Errorf("nothing asks for shader %s: AskForAll needs a use of it", s.Name)
		}
	}
	for _, family := range families {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			got := compile(t, pipelines, "radeon", "RADV_FORCE_FAMILY="+family)
			for line := range strings.Lines(got) {
				if name, figures, _ := strings.Cut(line, ": "); name != "driver" && !strings.Contains(figures, ", 0 selects, 0 spills, ") {
					t.Errorf("%s spills or chooses between accumulators: %s", name, figures)
				}
			}
			compareTable(t, family, got)
		})
	}
}

// The same for compilers that need a driver of the kernel that does nothing, of which .ci/gpu-compilers builds a library for each, and for a newer one of
// AMD's, which knows cooperative matrices. Choices between registers are in the tables alone: behind products on such matrices GELU makes some.
func TestCompiledElsewhere(t *testing.T) {
	libraries := os.Getenv("BEIT_DRM_SHIMS")
	if libraries == "" {
		t.Skip("it takes libraries of Mesa: .ci/gpu-compilers builds them and sets BEIT_DRM_SHIMS")
	}
	pipelines := allPipelines(t)
	for _, gpu := range []struct {
		name, driver string
		subgroup     int // of products on cooperative matrices, none if 0
		env          []string
	}{
		{"tgl", "intel", 0, []string{"INTEL_STUB_GPU_PLATFORM=tgl"}}, // Iris Xe
		{"dg2", "intel", 0, []string{"INTEL_STUB_GPU_PLATFORM=dg2"}}, // Arc A770M
		{"bmg", "intel", 0, []string{"INTEL_STUB_GPU_PLATFORM=bmg"}}, // Arc B580
		{"ga104", "nouveau", 0, []string{"NOUVEAU_CHIPSET=174"}},     // RTX 30
		{"navi31", "radeon", 64, []string{"RADV_FORCE_FAMILY=navi31"}},
		{"navi31-wave32", "radeon", 32, []string{"RADV_FORCE_FAMILY=navi31", "RADV_PERFTEST=cswave32"}},
		{"gfx1201", "radeon", 64, []string{"RADV_FORCE_FAMILY=gfx1201"}}, // RDNA 4
	} {
		t.Run(gpu.name, func(t *testing.T) {
			asked := slices.Clone(pipelines)
			for _, name := range pipelines {
				if p, ok := vulkan.OnMatrices(vulkan.PipelineOf(name), 16, gpu.subgroup); ok {
					asked = append(asked, p.String())
				}
			}
			env := gpu.env
			if gpu.driver != "radeon" {
				env = append(env, "LD_PRELOAD="+filepath.Join(libraries, "lib"+gpu.driver+"_noop_drm_shim.so"))
			}
			got := compile(t, asked, gpu.driver, env...)
			for line := range strings.Lines(got) {
				if strings.Contains(line, " spills, ") && !strings.Contains(line, ", 0 spills, ") {
					t.Errorf("spills: %s", line)
				}
			}
			compareTable(t, gpu.name, got)
		})
	}
}

// allPipelines lists what the backend asks for, as PipelineOf reads it. Cooperative matrices are left out: few of these compilers know them.
func allPipelines(t *testing.T) []string {
	pipelines := strings.Split(inEnvironment(t, "pipelines", "BEIT_VK_DISABLE_COOPMAT=1"), "\n")
	slices.Sort(pipelines)
	return pipelines
}

// compile returns a line for each pipeline, and one with the driver's name. None may need memory beside its registers.
func compile(t *testing.T, pipelines []string, driver string, env ...string) string {
	t.Helper()
	drivers, _ := filepath.Glob("/usr/share/vulkan/icd.d/" + driver + "_icd*.json")
	if len(drivers) == 0 {
		t.Fatalf("there is no driver %s: install mesa-vulkan-drivers", driver)
	}
	out := inEnvironment(t, "compile", append(env, "VK_ICD_FILENAMES="+drivers[0], "VK_DRIVER_FILES="+drivers[0], "MESA_SHADER_CACHE_DISABLE=true",
		"BEIT_VK_CACHE=off", "BEIT_VK_TEST_PIPELINES="+strings.Join(pipelines, "\n"))...) + "\n"
	var table strings.Builder
	for line := range strings.Lines(out) {
		name, figures, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if name == "driver" || slices.Contains(pipelines, name) { // else the driver says something about its device
			table.WriteString(line)
		}
		if slices.Contains(pipelines, name) && !strings.HasSuffix(figures, ", 0 B scratch") {
			t.Errorf("%s is not kept in registers: %s", name, figures)
		}
	}
	return table.String()
}

// compareTable compares a table with the committed one, or writes that with -update.
func compareTable(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "compiled", name+".txt")
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
		t.Errorf("look at what changed; if it is meant, run the test with -update (-table +now):\n%s",
			cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")))
	}
}
