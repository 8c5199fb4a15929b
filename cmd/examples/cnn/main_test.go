package main

import (
	"context"
	"math"
	"os"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// BEIT_CIFAR10 names an archive of CIFAR-10 in folders of classes, for the run that the README tells of. Without it the images are synthetic.
const envImages = "BEIT_CIFAR10"

// images returns the images of BEIT_CIFAR10 or, where it is not set, so many synthetic ones.
func images(t *testing.T, synthetic int) (source *data.Source, given bool) {
	name := os.Getenv(envImages)
	if name == "" {
		return &data.Source{Train: data.Shapes(synthetic, 32, 1), Val: data.Shapes(100, 32, 2)}, false
	}
	source, err := data.Open(name, data.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	})
	return source, true
}

// The loss falls, and with the images of CIFAR-10 the network reaches 70 %.
func TestTrain(t *testing.T) {
	source, given := images(t, 40)
	steps := 30
	if given {
		steps = 1600
	}
	losses, accuracy := train(tensor.CPU(), source, steps)
	first, last := mean(losses[:4]), mean(losses[len(losses)-4:])
	if !(last < 0.9*first) {
		t.Errorf("the loss went from %.3f to %.3f", first, last)
	}
	if given && accuracy < 0.7 {
		t.Errorf("accuracy %.3f, want at least 0.7", accuracy)
	}
}

func mean(list []float32) (m float64) {
	for _, v := range list {
		m += float64(v) / float64(len(list))
	}
	return m
}

// A Vulkan device has the losses of the CPU: of the first 20 steps on CIFAR-10, else of 4 on synthetic images.
func TestVulkanAgrees(t *testing.T) {
	required := os.Getenv("BEIT_REQUIRE_VULKAN") == "1"
	dev, err := vulkan.Open(context.Background(), vulkan.Options{AllowCPU: true, Validate: required})
	if err != nil {
		if required {
			t.Fatal(err)
		}
		t.Skip("no Vulkan device: ", err)
	}
	source, given := images(t, 20)
	steps := 4
	if given {
		steps = 20
	}
	source.Val = data.Subset(source.Val, []int{0}) // of no concern here
	want, _ := train(tensor.CPU(), source, steps)
	got, _ := train(dev, source, steps)
	for i := range want {
		t.Logf("step %d: CPU %.6f, Vulkan %.6f", i, want[i], got[i])
		if d := math.Abs(float64(got[i] - want[i])); !(d <= 1e-4*float64(want[i])) {
			t.Errorf("step %d: loss %v, on the CPU %v", i, got[i], want[i])
		}
	}
	if err := vulkan.Close(dev); err != nil {
		t.Error(err)
	}
	if n, text := vulkan.Messages(); n > 0 {
		t.Errorf("%d validation messages:\n%s", n, text)
	}
}
