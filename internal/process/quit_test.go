package process

import "testing"

func TestStacksKeepFunctionsAndLoseTheirArguments(t *testing.T) {
	const text = "goroutine 1 [select, 3 minutes]:\n" +
		"main.(*T).open(0xc0000, {0xc000123, 0x1c}, {0x7f, 0x8})\n\t/src/main.go:12 +0x1d\n" +
		"main.none()\n\t/src/a(1).go:1\ncreated by main.main in goroutine 1\n\t/src/main.go:3 +0x2\n"
	const want = "goroutine 1 [select, 3 minutes]:\n" +
		"main.(*T).open(...)\n\t/src/main.go:12 +0x1d\n" +
		"main.none(...)\n\t/src/a(1).go:1\ncreated by main.main in goroutine 1\n\t/src/main.go:3 +0x2\n"
	if got := string(withoutArguments([]byte(text))); got != want {
		t.Errorf("%s", got)
	}
}
