package place

import "path/filepath"

func checkHome() error { return nil }

func runtimeDir() string { return "" }

func isAbs(name string) bool { return filepath.IsAbs(name) }

func join(dir string, names ...string) string {
	return filepath.Join(append([]string{dir}, names...)...)
}

func clean(name string) string { return filepath.Clean(name) }
