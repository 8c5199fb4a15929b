package main

import "fmt"

// print shows what each stage learned, each figure beside the marks that it is to be compared with.
func (r quickRound) print(a *app, number int) error {
	t, p := r.Tokenizer, r.Pretraining
	fmt.Fprintf(a.out, "\nRound %d\n\nTokenizer (%s)\n", number, r.TokenizerFolder)
	var tok table
	tok.add("  reconstruction loss", fmt.Sprintf("%.4f", t.Reconstruction))
	tok.add("    best constant", fmt.Sprintf("%.4f", t.Constant))
	tok.add(fmt.Sprintf("    k-means of the targets, %d centres", t.Codes), fmt.Sprintf("%.4f", t.KMeans))
	tok.add("  codes used", fmt.Sprintf("%d of %d", t.Used, t.Codes))
	tok.add("  perplexity", fmt.Sprintf("%.1f", t.Perplexity))
	if err := tok.print(a.out); err != nil {
		return err
	}

	fmt.Fprintf(a.out, "\nPretraining (%s)\n", r.BackboneFolder)
	var mim table
	mim.add("", "main head", "aggregation head")
	mim.add("  cross-entropy of masked patches, nat", fmt.Sprintf("%.4f", p["loss_1"]), fmt.Sprintf("%.4f", p["loss_2"]))
	mim.add("    entropy of the codes", fmt.Sprintf("%.4f", p["unigram_entropy"]), fmt.Sprintf("%.4f", p["unigram_entropy"]))
	mim.add("    class tokens exchanged between pictures", "", fmt.Sprintf("%.4f", p["loss_swap"]))
	mim.add("  accuracy on masked patches", percent(p["mlm_acc_1"]), percent(p["mlm_acc_2"]))
	mim.add("    copying the nearest visible patch", percent(p["copy_acc"]), percent(p["copy_acc"]))
	if err := mim.print(a.out); err != nil {
		return err
	}

	fmt.Fprintf(a.out, "\nProbes, top-1 on pictures that nothing was trained on\n")
	var probes table
	probes.add("  network", "feature", "linear", "20 nearest neighbours")
	for _, q := range r.Probes {
		network := q.Network
		switch q.Feature {
		case "pixels":
			network = "raw pixels"
		case "teacher":
			network = "the teacher, " + q.Network
		}
		probes.add("  "+network, q.Feature, percent(q.Linear), percent(q.KNN))
	}
	return probes.print(a.out)
}
