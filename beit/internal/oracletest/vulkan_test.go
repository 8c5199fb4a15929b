package oracletest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/oracletest"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// The rules are those of the tests of tensor/vulkan, which cannot be imported. Tests run on every device of every driver that the
// loader finds, and the validation layer must not report anything. With BEIT_REQUIRE_VULKAN=1 a missing device or layer is a failure.

// required reports whether a missing driver or validation layer is a failure, not a skip. It also reads the variables that the loader
// reads in C. go test notes only variables that are read while tests run, and would otherwise use its cache after a change.
func required() bool {
	for _, name := range []string{"VK_ICD_FILENAMES", "VK_DRIVER_FILES", "VK_LAYER_PATH", "VK_LAYER_ENABLES"} {
		os.Getenv(name)
	}
	return os.Getenv("BEIT_REQUIRE_VULKAN") == "1"
}

// TestMain enables validation before anything creates the instance of the process, if the layer is installed.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" { // it uses CPUs only
		os.Exit(m.Run())
	}
	if os.Getenv("VK_LAYER_ENABLES") == "" { // check barriers too
		os.Setenv("VK_LAYER_ENABLES", "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT")
	}
	if os.Getenv("BEIT_VK_CACHE") == "" {
		os.Setenv("BEIT_VK_CACHE", "off") // do not write to the user's cache
	}
	flag.Parse()
	dev, err := vulkan.Open(context.Background(), vulkan.Options{Device: "0", Validate: true})
	if err == nil {
		err = vulkan.Close(dev)
	}
	if err != nil && required() {
		fmt.Println("BEIT_REQUIRE_VULKAN=1, but there is no device under validation:", err)
		os.Exit(1)
	}
	code := m.Run()
	if n, text := vulkan.Messages(); n > 0 {
		fmt.Printf("%d validation messages:\n%s", n, text)
		code = 1
	}
	os.Exit(code)
}

// TestOracleOnVulkan checks whole models, their gradients and training steps against the authors' code, on every device of every driver.
func TestOracleOnVulkan(t *testing.T) {
	must := required()
	infos, err := vulkan.Devices(context.Background())
	if err == nil && len(infos) == 0 {
		err = fmt.Errorf("there is no Vulkan device: %w", vulkan.ErrUnavailable)
	}
	if err != nil {
		if !must && errors.Is(err, vulkan.ErrUnavailable) {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	for _, info := range infos {
		t.Run(fmt.Sprintf("%d=%s", info.Index, strings.ReplaceAll(info.Name, " ", "_")), func(t *testing.T) {
			before, _ := vulkan.Messages()
			dev, err := vulkan.Open(context.Background(), vulkan.Options{Device: fmt.Sprint(info.Index)})
			if err != nil {
				t.Fatal(err)
			}
			defer vulkan.Close(dev)
			oracletest.Run(t, dev)
			t.Run("codebooks", func(t *testing.T) { oracletest.Codebooks(t, dev) })
			runMethods(t, dev)
			if err := dev.Sync(context.Background()); err != nil {
				t.Error(err)
			}
			if n, text := vulkan.Messages(); n > before {
				t.Errorf("%d validation messages:\n%s", n-before, text)
			}
		})
	}
}
