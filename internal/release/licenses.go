package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// licenseFile is how modules name the texts that go with their binaries.
var licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// listed is a package as go list prints it.
type listed struct {
	Dir      string
	Standard bool
	Module   *struct {
		Path, Dir string
		Main      bool
	}
}

// collectLicenses copies the licences of all that is linked in for t to dir/MODULE/FILE, and of Go itself to dir/go.
// A module without one is an error.
func (r *release) collectLicenses(ctx context.Context, t target, dir string) error {
	goroot, err := output(ctx, r.root, "go", "env", "GOROOT")
	if err != nil {
		return err
	}
	if err := copyLicenses(filepath.Join(dir, "go"), goroot); err != nil {
		return err
	}
	packages, err := r.linked(ctx, t)
	if err != nil {
		return err
	}
	for _, p := range packages {
		if p.Standard || p.Module.Main {
			continue
		}
		if err := copyLicenses(filepath.Join(dir, filepath.FromSlash(p.Module.Path)), p.Module.Dir); err != nil {
			return err
		}
		// A package in a module may come from elsewhere and bring its own.
		if inner, err := licenses(p.Dir); err == nil && p.Dir != p.Module.Dir && len(inner) > 0 {
			sub, err := filepath.Rel(p.Module.Dir, p.Dir)
			if err != nil {
				return err
			}
			if err := copyLicenses(filepath.Join(dir, filepath.FromSlash(p.Module.Path), sub), p.Dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// linked are the packages of all programs for t.
func (r *release) linked(ctx context.Context, t target) ([]listed, error) {
	args := []string{"list", "-deps", "-json=Dir,Standard,Module"}
	for _, path := range programs {
		args = append(args, path)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env, cmd.Stderr = r.root, t.env(), os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing what is linked for %s: %w", t, err)
	}
	var packages []listed
	for d := json.NewDecoder(strings.NewReader(string(text))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// licenses names the licence files in dir.
func licenses(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if licenseFile.MatchString(e.Name()) && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func copyLicenses(to, from string) error {
	names, err := licenses(from)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("no licence in %s", from)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, name := range names {
		if err := copyFile(filepath.Join(to, name), filepath.Join(from, name)); err != nil {
			return err
		}
	}
	return nil
}

// licenseID is SPDX's name for the licence in dir, if it is one that may be linked in. Any other one is an error: a
// person has to look at it.
func licenseID(dir string) (string, error) {
	names, err := licenses(dir)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		words := strings.Join(strings.Fields(string(text)), " ")
		switch {
		case strings.Contains(words, "Apache License Version 2.0"):
			return "Apache-2.0", nil
		case strings.Contains(words, "Permission is hereby granted, free of charge, to any person"):
			return "MIT", nil
		case strings.Contains(words, "Redistribution and use in source and binary forms"):
			if strings.Contains(words, "used to endorse or promote products") {
				return "BSD-3-Clause", nil
			}
			return "BSD-2-Clause", nil
		}
	}
	return "", fmt.Errorf("no licence known to be fit in %s", dir)
}
