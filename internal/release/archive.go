package release

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// archives packs the directory of each target.
func (r *release) archives(context.Context) error {
	for _, b := range r.built {
		if err := writeArchive(r.archive(b.target), b.dir, r.time); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) archive(t target) string {
	return filepath.Join(r.out, "tcred-"+r.version+"-"+t.String()+".tar.gz")
}

// writeArchive packs dir under its own name. The bytes depend on names and contents alone: files are in order, all have
// one time and belong to root, and the mode is 0755 for programs and 0644 for the rest.
func writeArchive(path, dir string, at time.Time) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := file.Close(); err == nil {
			err = e
		}
	}()
	zipped, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err != nil {
		return err
	}
	packed := tar.NewWriter(zipped)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return addFile(packed, path, filepath.Dir(dir), at)
	})
	if err != nil {
		return err
	}
	if err := packed.Close(); err != nil {
		return err
	}
	return zipped.Close()
}

func addFile(packed *tar.Writer, path, base string, at time.Time) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	name, err := filepath.Rel(base, path)
	if err != nil {
		return err
	}
	header := &tar.Header{
		Name: filepath.ToSlash(name), Size: info.Size(), Mode: 0o644, ModTime: at, Uname: "root", Gname: "root",
	}
	if isProgram(path) {
		header.Mode = 0o755
	}
	if err := packed.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(packed, file)
	return err
}

func isProgram(path string) bool {
	_, ok := programs[strings.TrimSuffix(filepath.Base(path), ".exe")]
	return ok
}
