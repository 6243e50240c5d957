package process

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"syscall"
)

// IgnoredAtStart are the signals that were ignored when this process was started, as by trap ” TERM in a script. The Go
// runtime takes all but INT and HUP for itself before any code of ours runs. What it found it keeps in a variable that
// no package may name; where that is stands in our own symbol table. Of a binary without one, made with -ldflags=-s, it
// is none: INT and HUP stay ignored there, and the others do not.
func IgnoredAtStart() (ignored []os.Signal) {
	const (
		word    = strconv.IntSize / 8 // bytes of a uintptr
		last    = 31                  // the signals behind it are real-time ones, which no shell's trap names
		sigIgn  = 1
		handler = "runtime.fwdSig" // [...]uintptr, by number
	)
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil
	}
	defer memory.Close()
	found := make([]byte, (last+1)*word)
	if _, err := memory.ReadAt(found, addressOf(handler)); err != nil {
		return nil
	}
	for n := 1; n <= last; n++ {
		at := found[n*word:]
		value := uint64(binary.NativeEndian.Uint32(at))
		if word == 8 {
			value = binary.NativeEndian.Uint64(at)
		}
		if value == sigIgn {
			ignored = append(ignored, syscall.Signal(n))
		}
	}
	return ignored
}

// addressOf is where the variable of that name lies in memory, 0 if it is not known.
func addressOf(variable string) int64 {
	file, err := elf.Open("/proc/self/exe")
	if err != nil {
		return 0
	}
	defer file.Close()
	symbols, _ := file.Symbols()                                    // none is as an error
	here := runtime.FuncForPC(reflect.ValueOf(addressOf).Pointer()) // tells how far all of it was moved
	var written, moved uint64
	for _, s := range symbols {
		switch s.Name {
		case variable:
			written = s.Value
		case here.Name():
			moved = uint64(here.Entry()) - s.Value
		}
	}
	if written == 0 {
		return 0
	}
	return int64(written + moved)
}
