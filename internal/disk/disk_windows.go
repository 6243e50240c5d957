package disk

import (
	"io/fs"
	"os"
)

// hasOwners says that files have no owner and mode that tell anything.
const hasOwners = false

const plainOnly = 0

func ours(fs.FileInfo) bool { return true }

// Stranger and Writers are always "": modes do not tell, and the files of a user lie where nobody else can write.
func Stranger(fs.FileInfo) string { return "" }
func Writers(fs.FileInfo) string  { return "" }

func keepGroup(*os.File, fs.FileInfo) error { return nil }

// syncDir does nothing: Windows has no such call.
func syncDir(string) error { return nil }
