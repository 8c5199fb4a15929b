// Command compare measures package tensor beside others on one machine, in alternation, and writes a page of the figures: the matrix products
// of a ViT-B beside OpenBLAS, gonum and gomlx, and those in bfloat16 and the pretraining step beside PyTorch.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"

	"github.com/gobeit/gobeit/tensor"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 5, "measurements of each side, `N` >= 5; the tables show their medians")
	threads := flag.Int("threads", 2, "largest `number` of threads of products; all from 1 on are measured")
	python := flag.String("python", "python3", "`command` that runs Python with PyTorch")
	steps := flag.Bool("steps", true, "measure training steps too, which takes minutes")
	out := flag.String("out", "../RESULTS.md", "`file` for the page")
	child := flag.String("child", "", "measure one step and nothing else; for use by this program")
	flag.Parse()
	if *rounds < 5 || *threads < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := tensor.CheckCPU(); err != nil {
		log.Fatal(err)
	}
	if *child != "" {
		if err := stepChild(*child, *rounds); err != nil {
			log.Fatal(err)
		}
		return
	}
	var page bytes.Buffer
	head(&page, *rounds)
	if err := compareProducts(&page, *rounds, *threads); err != nil {
		log.Fatal(err)
	}
	if err := compareMedium(&page, *rounds, *threads, *python); err != nil {
		log.Fatal(err)
	}
	if err := measureLookups(&page, *rounds, *threads); err != nil {
		log.Fatal(err)
	}
	if *steps {
		if err := compareSteps(&page, *rounds, *python); err != nil {
			log.Fatal(err)
		}
	}
	if err := os.WriteFile(*out, page.Bytes(), 0o666); err != nil {
		log.Fatal(err)
	}
}

// head tells what was measured, where and how.
func head(page *bytes.Buffer, rounds int) {
	command := "go run ."
	flag.Visit(func(f *flag.Flag) {
		if f.Name != "python" && f.Name != "out" { // where things lie says nothing to others
			command += fmt.Sprintf(" -%s=%s", f.Name, f.Value)
		}
	})
	commit := "unknown"
	if text, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output(); err == nil {
		commit = strings.TrimSpace(string(text))
	}
	fmt.Fprintf(page, "# Beside others\n\nWritten by `%s` in bench/compare on %s, at commit %s: run it on an idle machine. Sides take turns; figures are medians of %d.\n\n",
		command, time.Now().UTC().Format(time.DateOnly), commit, rounds)
	fmt.Fprintf(page, "- %s, %d CPUs, %s, %s/%s\n- gobeit: %s; peak of a core %.1f GFLOP/s at highest, %.1f at high, %.1f at medium\n",
		strings.TrimSpace(cpuid.CPU.BrandName), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH,
		tensor.CPU().Name(), tensor.CoreFLOPs(tensor.CPU(), tensor.Highest)/1e9, tensor.CoreFLOPs(tensor.CPU(), tensor.High)/1e9,
		tensor.CoreFLOPs(tensor.CPU(), tensor.Medium)/1e9)
}
