// Command compare measures package tensor beside others on one machine, in alternation, and writes a page of the figures, with a part for
// each kind of processor: the matmuls of a ViT-B beside OpenBLAS, gonum and gomlx, and those in bfloat16 and the pretraining step beside PyTorch.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gobeit/gobeit/bench"
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
	if _, err := os.Stat(filepath.Dir(*out)); err != nil {
		log.Fatal(err) // now rather than after minutes
	}
	if *child != "" {
		if err := stepChild(*child, *rounds); err != nil {
			log.Fatal(err)
		}
		return
	}
	part, err := compare(*rounds, *threads, *python, *steps)
	if err != nil {
		log.Fatal(err)
	}
	if err := writePart(*out, tensor.Processor(), part); err != nil {
		log.Fatal(err)
	}
}

// compare measures everything and returns the part of the page.
func compare(rounds, threads int, python string, steps bool) ([]byte, error) {
	peers := []peer{openBLASPeer(), gonumPeer(), gomlxPeer()}
	torch, missing := findPyTorch(python)
	var page bytes.Buffer
	head(&page, rounds)
	for _, p := range peers {
		fmt.Fprintf(&page, "- %s\n", p.about)
	}
	if missing != nil {
		fmt.Fprintf(&page, "- %v\n", missing)
	} else {
		fmt.Fprintf(&page, "- %v\n", torch)
	}
	if err := compareProducts(&page, peers, rounds, threads); err != nil {
		return nil, err
	}
	if missing == nil {
		if err := compareMedium(&page, torch, rounds, threads); err != nil {
			return nil, err
		}
	}
	if err := measureLookups(&page, rounds, threads); err != nil {
		return nil, err
	}
	if steps && missing == nil {
		if err := compareSteps(&page, torch, rounds); err != nil {
			return nil, err
		}
	}
	return page.Bytes(), nil
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
	for _, name := range []string{"BEIT_CPU", "OPENBLAS_CORETYPE"} {
		if value := os.Getenv(name); value != "" {
			command = name + "=" + value + " " + command
		}
	}
	fmt.Fprintf(page, "`%s` on %s, at commit %s; medians of %d.\n\n", command, time.Now().UTC().Format(time.DateOnly), commit, rounds)
	fmt.Fprintf(page, "- %d CPUs, %s, %s/%s\n- gobeit: level %s; peak of a core %.1f GFLOP/s in float32",
		runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, level(), bench.Peak(tensor.CPU(), tensor.Highest)/1e9)
	for _, p := range []tensor.Precision{tensor.High, tensor.Medium} {
		if tensor.CPU().Supports("MatMul", p) {
			fmt.Fprintf(page, ", %.1f at precision %s", bench.Peak(tensor.CPU(), p)/1e9, p)
		}
	}
	fmt.Fprintln(page)
}
