package oracletest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/oracletest"
	"github.com/gobeit/gobeit/tensor"
)

const (
	own      = "../../testdata/oracle"
	childEnv = "BEIT_ORACLE_CHILD"
)

// TestChild is what TestOtherSet runs on other sets, in another process because it may fail.
func TestChild(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		t.Skip("run by TestOtherSet")
	}
	oracletest.Run(t, tensor.CPU())
	oracletest.Schedule(t)
}

// TestOtherSet makes incomplete sets and wrong sets. Missing parts of the first are skipped by name. The second fail.
func TestOtherSet(t *testing.T) {
	type manifest = map[string]any
	at := func(m manifest, path ...string) manifest {
		for _, key := range path {
			m = m[key].(manifest)
		}
		return m
	}
	ops := []string{"files", "ops.safetensors", "tensors"}
	without := func(m manifest, parts ...string) {
		tensors := at(m, ops...)
		for name := range tensors {
			for _, part := range parts {
				if strings.HasPrefix(name, part) {
					delete(tensors, name)
				}
			}
		}
	}
	for name, c := range map[string]struct {
		change func(m manifest)
		fails  bool
		says   string
	}{
		"fewer files":      {func(manifest) {}, false, "the set has no file called vqkd"},
		"no schedule":      {func(manifest) {}, false, "the set has no schedule.json"},
		"one output fewer": {func(m manifest) { without(m, "linear/out/y") }, false, "linear/out/y: not in this set"},
		"a strange file": {func(m manifest) { at(m, "files")["new.safetensors"] = at(m, ops[:2]...) }, false,
			"new.safetensors: no check reads this file"},
		"no outputs":    {func(m manifest) { without(m, "linear/out", "linear/grad") }, true, "linear/: nothing was compared with it"},
		"a tight bound": {func(m manifest) { at(m, append(ops, "gelu/out/y")...)["atol"] = -1 }, true, "gelu/out/y: element"},
		"no bound":      {func(m manifest) { delete(at(m, append(ops, "gelu/out/y")...), "atol") }, true, "gives no tolerance"},
		"other decay":   {func(m manifest) { at(m, "files", "ops.safetensors", "config")["wd"] = 0.06 }, true, "adamw/out/w0_each_step"},
		"a false sum":   {func(m manifest) { at(m, "files", "ops.safetensors")["sha256"] = "00" }, true, "ops.safetensors is damaged"},
		"no files":      {func(m manifest) { m["files"] = manifest{} }, true, "lists no files"},
		"nothing known": {func(m manifest) { m["files"] = manifest{"new.bin": manifest{}} }, true, "none of the files"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var m manifest
			content, err := os.ReadFile(filepath.Join(own, "manifest.json"))
			if err == nil {
				err = json.Unmarshal(content, &m)
			}
			if err != nil {
				t.Fatal(err)
			}
			m["files"] = manifest{"ops.safetensors": at(m, ops[:2]...)}
			c.change(m)
			if content, err = json.Marshal(m); err == nil {
				err = os.WriteFile(filepath.Join(dir, "manifest.json"), content, 0o644)
			}
			if err == nil {
				content, err = os.ReadFile(filepath.Join(own, "ops.safetensors"))
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, "ops.safetensors"), content, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			child := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
			child.Env = append(os.Environ(), "BEIT_ORACLE="+dir, childEnv+"=1")
			out, err := child.CombinedOutput()
			if (err != nil) != c.fails {
				t.Errorf("the tests ended with %v:\n%s", err, out)
			}
			if !strings.Contains(string(out), c.says) {
				t.Errorf("the tests do not say %q:\n%s", c.says, out)
			}
		})
	}
}
