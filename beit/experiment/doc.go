// Package experiment runs several trainings and measurements as one: the quickstart, probes of several networks side by side, comparisons of
// settings as tables, and comparisons of whole chains of runs at equal cost. It also plans runs for a given time.
//
//	quick, err := experiment.Quickstart(ctx, experiment.Env{}, "runs/quickstart")
//	err = quick.Print(os.Stdout)
//
// The files: env.go (what experiments need; training or continuing one run), quickstart.go and quicktext.go, probes.go and subject.go (features side by side),
// compare.go with plan.go (what is checked before anything is trained), trials.go (the rows), seeds.go, measure.go, row.go (the figures) and
// tables.go, and text.go (aligned columns). Plans for a given time: recipe.go (rules, and the split of the time), recipemeter.go (what is measured),
// recipetext.go (the script). Entries at equal cost: entries.go (the file), lineup.go (what is checked), chain.go (the runs of an entry and their
// cost), standing.go (the order of work, and what is kept), entryrow.go (what is measured), bootstrap.go (intervals of differences), entrytables.go
// and entriespage.go (what is shown). Ways to pretrain at equal cost: methods.go (the order of work, and the figures), contest.go (what is checked),
// contestrun.go (the runs), contesttable.go (table and plan).
//
// A row of a comparison over several seeds has means and standard deviations. The runs of the comparison's own seed are those that it has without
// further ones, so seeds can be added to a comparison that was begun with one. All see the images of the own seed.
//
// Ways to pretrain have as many counted operations each, their tokenizer's included; what measures their backbones comes on top and is alike for all.
// Ways that learn from a tokenizer share it where length and seed are equal, and each pays for it.
//
// All runs of entries see the same images, chosen by data.seed; their own seeds are those of the file. An entry trains only within its budget: each
// run but the last has its share, the last has what the others left as they were counted. Alternatives of a sweep are trained on four fifths of the
// training images and chosen by the others. The validation images are measured once for each entry and seed.
//
// What was trained is kept: called again with the same folder and settings, an experiment goes on where it was interrupted. An error of a run is a
// *RunError, which names its folder.
package experiment
