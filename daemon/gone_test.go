//go:build unix

package daemon

import (
	"os"
	"testing"
	"time"
)

// File systems use inodes again: another socket in this one's place can have the number of the first.
func TestASocketOfTheSameInodeAndAnotherTimeIsNotOurs(t *testing.T) {
	path := socketPath(t)
	l := mustListen(t, path)
	if !l.ours() {
		t.Fatal("our own socket is not ours")
	}
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if l.ours() {
		t.Error("a socket of another time is taken for ours")
	}
}
