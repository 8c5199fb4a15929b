package shaders_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/gobeit/gobeit/shaders"
	"github.com/google/go-cmp/cmp"
)

// TestManifest fails when a source or the table changed and nobody ran go generate. It needs no compiler.
func TestManifest(t *testing.T) {
	got, err := shaders.Manifest(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(shaders.ManifestFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("run `go generate ./shaders`; manifest (-committed +now):\n%s", diff)
	}
}

// TestFiles: every blob and every source belongs to the table.
func TestFiles(t *testing.T) {
	known := map[string]bool{}
	for _, s := range shaders.All() {
		if known["spv/"+s.Name+".spv"] {
			t.Errorf("two shaders are called %s", s.Name)
		}
		known["spv/"+s.Name+".spv"], known[s.Source] = true, true
		if b := s.SPIRV(); len(b) < 20 || !bytes.Equal(b[:4], []byte{3, 2, 0x23, 7}) {
			t.Errorf("%s is no SPIR-V", s.Name)
		}
	}
	for _, pattern := range []string{"spv/*", "*.comp", "coopmat/*"} {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			if !known[f] {
				t.Errorf("%s is not in the table", f)
			}
		}
	}
}

// TestBuild compiles every shader that the glslc at hand has made, compares the bytes, and validates them.
func TestBuild(t *testing.T) {
	version, built := shaders.Compiler(), 0
	dir := t.TempDir()
	for _, s := range shaders.All() {
		if s.Compiler != version {
			continue
		}
		built++
		out := filepath.Join(dir, s.Name+".spv")
		if err := s.Compile(".", out); err != nil {
			t.Error(err)
			continue
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, s.SPIRV()) {
			t.Errorf("%s: the committed blob is not what its source gives", s.Name)
		}
		if text, err := exec.Command("spirv-val", "--target-env", "vulkan1.1", out).CombinedOutput(); err != nil {
			t.Errorf("%s: spirv-val: %v\n%s", s.Name, err, text)
		}
	}
	switch {
	case built > 0:
		t.Logf("%d of %d shaders are made by this glslc, of shaderc %s", built, len(shaders.All()), version)
	case os.Getenv("BEIT_REQUIRE_VULKAN") == "1":
		t.Fatalf("no glslc that made a shader: this one is of shaderc %q", version)
	default:
		t.Skipf("no glslc that made a shader: this one is of shaderc %q", version)
	}
}

// TestMetal translates every shader to Metal's language, as MoltenVK does, with the constants' defaults. Cooperative matrices are left out: MoltenVK
// does not offer them.
func TestMetal(t *testing.T) {
	if _, err := exec.LookPath("spirv-cross"); err != nil {
		if os.Getenv("BEIT_REQUIRE_VULKAN") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, s := range shaders.All() {
		if s.Cooperative {
			continue
		}
		text, err := exec.Command("spirv-cross", filepath.Join("spv", s.Name+".spv"), "--msl", "--msl-version", "20100").CombinedOutput()
		if err != nil || !bytes.Contains(text, []byte("kernel void main0(")) {
			t.Errorf("%s: %v\n%.500s", s.Name, err, text)
		}
	}
}
