// Package reliability holds the tests that run the real binaries under load, faults and kills; it has no code of its
// own.
//
//	TCRED_TEST_REAL=1 go test -count=1 -v -timeout 30m ./internal/reliability
//	TCRED_SOAK=10m go test -count=1 -v -timeout 15m -run TestSoak ./internal/reliability
//
// Without -count=1 the go command may show an old result: it does not see that the binaries would be other ones.
package reliability
