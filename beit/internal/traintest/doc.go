// Package traintest has what tests of the training side share: tiny configurations, environments for tasks without the training loop, images,
// reporters, and a comparison of run folders. It knows neither the loop nor the list of methods, so that their own tests can use it; package
// runtest has what needs them.
package traintest
