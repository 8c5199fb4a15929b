package beit

import "testing"

func TestUseOf(t *testing.T) {
	use := UsageOf([]int32{0, 0, 2, 2, -1}, 4)
	if use.Codes != 4 || use.Used != 2 || use.TopShare != 0.5 || use.Perplexity < 1.999 || use.Perplexity > 2.001 {
		t.Errorf("use %+v, want two codes of four, each half of the time", use)
	}
	if use := UsageOf([]int32{-1, -1}, 4); use != (CodeUsage{Codes: 4, Perplexity: 1}) {
		t.Errorf("use of nothing: %+v", use)
	}
}

func TestCodeWindow(t *testing.T) {
	var w CodeWindow
	codes := make([]int32, WindowTokens)
	for i := range codes {
		codes[i] = int32(i)
	}
	w.Add(codes)
	w.Add([]int32{-5, -6})
	if len(w.Codes) != WindowTokens || w.Codes[0] != -5 || w.Codes[1] != -6 || w.Codes[2] != 2 || w.Next != 2 {
		t.Errorf("window of %d begins with %v, next is %d", len(w.Codes), w.Codes[:3], w.Next)
	}
}
