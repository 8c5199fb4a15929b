package vulkan_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// required says that a missing driver or validation layer fails tests instead of skipping them. It also reads what the loader reads in C, so
// that go test does not answer from its cache when that has changed: it notes only what is read while tests run.
func required() bool {
	for _, name := range []string{"VK_ICD_FILENAMES", "VK_DRIVER_FILES", "VK_LAYER_PATH", "VK_LAYER_ENABLES"} {
		os.Getenv(name)
	}
	return os.Getenv("BEIT_REQUIRE_VULKAN") == "1"
}

// TestMain decides about validation before anything creates the process's instance: always where the layer is installed.
func TestMain(m *testing.M) {
	if os.Getenv("VK_LAYER_ENABLES") == "" { // let the layer watch over barriers as well
		os.Setenv("VK_LAYER_ENABLES", "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT")
	}
	if role := os.Getenv("BEIT_VK_TEST_ROLE"); role != "" {
		roles[role]()
		return
	}
	if os.Getenv("BEIT_VK_CACHE") == "" {
		os.Setenv("BEIT_VK_CACHE", "off") // the user's caches are not ours to fill
	}
	flag.Parse()
	validate := flag.Lookup("test.bench").Value.String() == "" // validation would be most of what is measured
	dev, err := vulkan.Open(context.Background(), vulkan.Options{Device: "0", Validate: validate})
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

// skipOrFail ends the test for want of a device.
func skipOrFail(t testing.TB, err error) {
	t.Helper()
	if required() {
		t.Fatal(err)
	}
	t.Skip(err)
}

// onDrivers runs a test on every device that the drivers offer, of whatever type. Drivers are those that the loader finds; VK_ICD_FILENAMES
// names others. It fails when the validation layer has something to say.
func onDrivers(t *testing.T, test func(t *testing.T, dev *tensor.Device)) {
	t.Helper()
	required()
	infos, err := vulkan.Devices(context.Background())
	if err != nil {
		if !errors.Is(err, vulkan.ErrUnavailable) {
			t.Fatal(err)
		}
		skipOrFail(t, err)
	}
	if len(infos) == 0 {
		skipOrFail(t, errors.New("there is no Vulkan device"))
	}
	for _, info := range infos {
		t.Run(fmt.Sprintf("%d=%s", info.Index, strings.ReplaceAll(info.Name, " ", "_")), func(t *testing.T) {
			before, _ := vulkan.Messages()
			dev := open(t, vulkan.Options{Device: fmt.Sprint(info.Index)})
			test(t, dev)
			if err := dev.Sync(context.Background()); err != nil {
				t.Error(err)
			}
			if n, text := vulkan.Messages(); n > before {
				t.Errorf("%d validation messages:\n%s", n-before, text)
			}
		})
	}
}

// open opens a device and closes it when the test ends.
func open(t testing.TB, o vulkan.Options) *tensor.Device {
	t.Helper()
	dev, err := vulkan.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = vulkan.Close(dev) }) // a test that breaks the device has looked at its error
	return dev
}
