// Package casestest gives the cases of beit/internal/casestest to the tests of the command, which cannot import an internal package of beit. Only
// tests import this package.
package casestest

import (
	"testing"

	"github.com/gobeit/gobeit/beit/internal/casestest"
)

// Case is one input from the field, with what is right for it.
type Case = casestest.Case

// Expected says what is right.
type Expected = casestest.Expected

// All returns the cases in order of name.
func All(t testing.TB) []Case {
	t.Helper()
	return casestest.All(t)
}
