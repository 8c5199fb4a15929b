package config

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"device", "help", "precision", "accumulation-steps", "resume", "pull", "Base", "large", "small32", "small64"}
	for s, want := range map[string]string{
		"resum": "resume", "resmue": "resume", "RESUME": "resume", "base": "Base", "devcie": "device", "pulll": "pull",
		"epochs": "", "lr": "", "batch-size": "", "help!": "help", "": "", "x": "", "hl": "",
		"acc": "accumulation-steps", "prec": "precision", "pr": "", "small": "", "small3": "small32",
	} {
		if got := Nearest(s, names); got != want {
			t.Errorf("nearest to %q is %q, want %q", s, got, want)
		}
	}
	if got := Nearest("x", nil); got != "" {
		t.Errorf("nearest of none: %q", got)
	}
	if got := Hint("resum", names, "--%s", "none"); got != "did you mean --resume?" {
		t.Error(got)
	}
	if got := Hint("frob", names, "--%s", "none"); got != "none" {
		t.Error(got)
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"kitten", "sitting", 3}, {"", "abc", 3}, {"abc", "", 3}, {"abcd", "abcd", 0}, {"trian", "train", 1}, {"abc", "ca", 3}, {"abcdef", "badcfe", 3}} {
		if d := edits(c.a, c.b); d != c.want {
			t.Errorf("%s and %s: %d edits, want %d", c.a, c.b, d, c.want)
		}
	}
}

// A key is found by its last part, by what others call it, and by what is nearly it.
func TestNearestKey(t *testing.T) {
	keys := []string{
		"data.path", "data.limit", "data.eval.batch", "data.eval.limit", "train.epochs", "train.batch", "train.lr", "train.eps", "train.weight_decay",
		"tokenizer.model.encoder.image_size", "tokenizer.model.encoder.depth", "tokenizer.model.decoder.image_size", "tokenizer.model.decoder.depth",
	}
	for s, want := range map[string]string{
		"epochs": "train.epochs", "limit": "data.limit", "batch": "train.batch", "lr": "train.lr", "train.epoch": "train.epochs", "epoch": "train.epochs",
		"data.epochs": "train.epochs", "dta.paht": "data.path", "eps": "train.eps", "epc": "train.eps",
		"learning_rate": "train.lr", "LEARNING_RATE": "train.lr", "train.batch_size": "train.batch", "eval_batch_size": "data.eval.batch", "wd": "train.weight_decay",
		"decoder.depth": "tokenizer.model.decoder.depth", "tokenizer.encoder.depth": "tokenizer.model.encoder.depth",
		"img_size": "tokenizer.model.encoder.image_size", "tokenizer.model.decoder.dept": "tokenizer.model.decoder.depth",
		"frobnicate": "", "x": "", "": "", "mixup_alpha": "",
	} {
		if got := NearestKey(s, keys); got != want {
			t.Errorf("nearest to %q is %q, want %q", s, got, want)
		}
	}
	if got := KnownKey("epoch", keys); got != "" {
		t.Errorf("epoch is known as %q", got)
	}
}
