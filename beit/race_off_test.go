//go:build !race

package beit_test

const raceDetector = false
