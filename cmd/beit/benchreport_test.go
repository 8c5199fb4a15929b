package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// quickSelfTest leaves only small cases to the self-test of all operations.
func quickSelfTest(t *testing.T) {
	all := selfTestWork
	selfTestWork = 500
	t.Cleanup(func() { selfTestWork = all })
}

// readReport reads a file of "beit bench --report".
func readReport(t *testing.T, path string) (r benchReport) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBenchReport(t *testing.T) {
	t.Setenv("BEIT_VK_CACHE", "off")
	quickSelfTest(t)
	devices := []string{"cpu"}
	infos, err := vulkan.Devices(t.Context())
	if len(infos) > 0 && infos[0].Unusable == "" {
		devices = append(devices, "vulkan:0")
	} else if os.Getenv("BEIT_REQUIRE_VULKAN") == "1" {
		t.Fatal(err)
	}
	for _, device := range devices {
		t.Run(device, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "gpu.json")
			status, o, e := beitRun(t, "bench", "--device", device, "--report", path, "--filter", "matmul/m=256.*highest")
			if status != 0 || !strings.Contains(o, "MatMul/m=256") || !strings.Contains(o, "cases agree") {
				t.Fatalf("status %d, %s%s", status, o, e)
			}
			r := readReport(t, path)
			if len(r.Results) != 1 || r.Results[0].GFLOPs <= 0 || !strings.HasSuffix(r.SelfTest, "cases agree") || len(r.Failures) > 0 || r.Threads < 1 ||
				!strings.HasPrefix(r.Program, "beit ") || r.Processor == "" {
				t.Errorf("%+v", r)
			}
			if r.Limits == nil {
				if device != "cpu" {
					t.Error("no limits")
				}
				return
			}
			if r.Limits.Name != infos[0].Name || r.Limits.Driver != infos[0].Driver || r.Limits.MaxRange == 0 || !strings.Contains(strings.Join(r.Report, "\n"), "float32 passed the self-test") {
				t.Errorf("%+v", r)
			}
		})
	}
}

// A report is written when something fails on the device, and names it. Without a report the first failure ends the bench.
func TestBenchReportOfFailures(t *testing.T) {
	quickSelfTest(t)
	a := &app{ctx: t.Context(), out: &stream{w: io.Discard}, errOut: &stream{w: io.Discard}, group: dist.Single(), dev: tensor.CPU()}
	c := benchCmd{Times: 5, Filter: "matmul/m=256.*highest"}
	cases, err := c.choose(a.dev)
	if err != nil {
		t.Fatal(err)
	}
	bad := cases[0]
	cause := errors.New("the driver refuses it")
	bad.Setup = func() (run, release func()) { panic(&tensor.Error{Op: "MatMul", Reason: cause.Error(), Err: cause}) }
	cases = []bench.Case{bad, cases[0]}
	if _, failures, err := c.measure(a, cases); err != nil || len(failures) != 1 || !errors.Is(failures[0], cause) {
		t.Errorf("without a report: %v, %v", failures, err)
	}
	c.Report = filepath.Join(t.TempDir(), "gpu.json")
	err = c.report(a, cases)
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "1 benchmarks failed") || !strings.Contains(err.Error(), "attach "+c.Report) {
		t.Errorf("the error is %v", err)
	}
	r := readReport(t, c.Report)
	if len(r.Results) != 1 || len(r.Failures) != 1 || !strings.Contains(r.Failures[0], "MatMul/m=256") || !strings.Contains(r.Failures[0], cause.Error()) {
		t.Errorf("%+v", r)
	}
	c.Report = filepath.Join(t.TempDir(), "none", "gpu.json")
	if err := c.report(a, cases); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}
