// Package experiment runs several trainings and measurements as one: the quickstart, probes of several networks side by side, and comparisons of
// settings as tables.
//
//	rounds, err := experiment.Quickstart(ctx, experiment.Env{}, "runs/quickstart", 1)
//	err = experiment.PrintRounds(os.Stdout, rounds)
//
// The files: env.go (what experiments need; training or continuing one run), quickstart.go, probes.go and subject.go (features side by side),
// compare.go with trials.go, measure.go and tables.go, and text.go (aligned columns).
//
// What was trained is kept: called again with the same folder and settings, an experiment goes on where it was interrupted. An error of a run is a
// *RunError, which names its folder.
package experiment
