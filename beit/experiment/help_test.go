package experiment

// ShrinkQuickstart makes the quickstart a moment's, until the function that it returns is called.
func ShrinkQuickstart() (restore func()) {
	tok, mim := quickTokenizer, quickPretrain
	few := []string{"data.path=procedural:64", "train.epochs=1", "train.warmup_epochs=0"}
	quickTokenizer = append(append(tok[:len(tok):len(tok)], few...), "tokenizer.model.codes=16", "tokenizer.kmeans_tokens=0")
	quickPretrain = append(append(mim[:len(mim):len(mim)], few...), "pretrain.model.vocab=16")
	return func() { quickTokenizer, quickPretrain = tok, mim }
}
