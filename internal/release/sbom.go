package release

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The part of SPDX 2.3 that says what a release is made of: itself, Go, and modules. Field names are SPDX's.
type spdx struct {
	SPDXVersion       string             `json:"spdxVersion"`
	DataLicense       string             `json:"dataLicense"`
	SPDXID            string             `json:"SPDXID"`
	Name              string             `json:"name"`
	DocumentNamespace string             `json:"documentNamespace"`
	CreationInfo      spdxCreation       `json:"creationInfo"`
	Packages          []spdxPackage      `json:"packages"`
	Relationships     []spdxRelationship `json:"relationships"`
}

type spdxCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	SPDXID           string         `json:"SPDXID"`
	Name             string         `json:"name"`
	VersionInfo      string         `json:"versionInfo"`
	DownloadLocation string         `json:"downloadLocation"`
	FilesAnalyzed    bool           `json:"filesAnalyzed"`
	LicenseConcluded string         `json:"licenseConcluded"`
	LicenseDeclared  string         `json:"licenseDeclared"`
	CopyrightText    string         `json:"copyrightText"`
	Comment          string         `json:"comment,omitempty"`
	ExternalRefs     []spdxExternal `json:"externalRefs"`
}

type spdxExternal struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type spdxRelationship struct {
	Element string `json:"spdxElementId"`
	Type    string `json:"relationshipType"`
	Related string `json:"relatedSpdxElement"`
}

const noAssertion = "NOASSERTION"

// module is one that was linked in.
type module struct {
	path, version, license string
	targets                []string
}

// linkedModules reads from the binaries what they were linked from, "go" included, sorted by path.
func (r *release) linkedModules() ([]module, error) {
	modules := make(map[string]*module)
	note := func(b built, path, version string) error {
		m := modules[path]
		if m == nil {
			license, err := licenseID(filepath.Join(b.dir, "licenses", filepath.FromSlash(path)))
			if err != nil {
				return err
			}
			m = &module{path: path, version: version, license: license}
			modules[path] = m
		}
		if !slices.Contains(m.targets, b.String()) {
			m.targets = append(m.targets, b.String())
		}
		return nil
	}
	for _, b := range r.built {
		for program := range programs {
			info, err := buildinfo.ReadFile(filepath.Join(b.dir, b.file(program)))
			if err != nil {
				return nil, err
			}
			if err := note(b, "go", strings.TrimPrefix(info.GoVersion, "go")); err != nil {
				return nil, err
			}
			for _, dep := range info.Deps {
				if dep.Replace != nil {
					return nil, fmt.Errorf("a release replaces no module: %s", dep.Path)
				}
				if err := note(b, dep.Path, dep.Version); err != nil {
					return nil, err
				}
			}
		}
	}
	var list []module
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		list = append(list, *modules[path])
	}
	return list, nil
}

// writeSBOM writes tcred-VERSION.spdx.json.
func (r *release) writeSBOM(context.Context) error {
	modules, err := r.linkedModules()
	if err != nil {
		return err
	}
	name := "tcred-" + r.version
	self := spdxPackageOf(module{path: "github.com/tcred/tcred", version: "v" + r.version, license: "Apache-2.0"})
	doc := spdx{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT", Name: name,
		DocumentNamespace: "https://github.com/tcred/tcred/releases/download/v" + r.version + "/" + name + ".spdx.json",
		CreationInfo: spdxCreation{
			r.time.Format(time.RFC3339), []string{"Organization: The tcred authors", "Tool: tcred-packaging-release"},
		},
		Packages:      []spdxPackage{self},
		Relationships: []spdxRelationship{{"SPDXRef-DOCUMENT", "DESCRIBES", self.SPDXID}},
	}
	for _, m := range modules {
		p := spdxPackageOf(m)
		p.Comment = "linked into " + strings.Join(m.targets, ", ")
		doc.Packages = append(doc.Packages, p)
		doc.Relationships = append(doc.Relationships, spdxRelationship{self.SPDXID, "STATIC_LINK", p.SPDXID})
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, name+".spdx.json"), append(text, '\n'), 0o644)
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

func spdxPackageOf(m module) spdxPackage {
	p := spdxPackage{
		SPDXID: "SPDXRef-" + notInID.ReplaceAllString(m.path, "-"), Name: m.path, VersionInfo: m.version,
		DownloadLocation: noAssertion, LicenseConcluded: m.license, LicenseDeclared: m.license, CopyrightText: noAssertion,
	}
	purl := "pkg:golang/" + strings.ToLower(m.path) + "@" + strings.ReplaceAll(m.version, "+", "%2B")
	if m.path == "go" {
		purl = "pkg:golang/stdlib@" + m.version
	}
	p.ExternalRefs = []spdxExternal{{"PACKAGE-MANAGER", "purl", purl}}
	return p
}
