package install

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// copyPlugin is pinned because the one that Maven picks by default depends on
// Maven's version.
const copyPlugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

// install lets Maven copy the component's jars into a new directory beside the
// final one and renames it when it is complete, so that a directory with this
// name is never half full.
func (i *installer) install(ctx context.Context, c Component) error {
	if err := os.MkdirAll(i.dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(i.dir, "."+c.Name+".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil { // MkdirTemp makes it 0700
		return err
	}

	pom, err := pomFor(c.Coordinates)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, "pom.xml"), pom, 0o644); err != nil {
		return err
	}
	lib := filepath.Join(tmp, "lib")
	if err := i.run(ctx, tmp, "mvn", "-q", "-B", copyPlugin, "-DincludeScope=runtime", "-DoutputDirectory="+lib); err != nil {
		return err
	}
	if missing := c.missingJars(lib); len(missing) > 0 {
		return fmt.Errorf("mvn copied no %s", strings.Join(missing, ", "))
	}
	if err := os.WriteFile(filepath.Join(tmp, stampFile), []byte(c.stamp()), 0o644); err != nil {
		return err
	}
	return i.replace(c, tmp)
}

// replace puts tmp in the component's place. A rename cannot replace a
// directory that has files, so an old one is moved aside first; a JVM that
// still runs from it keeps its open jars.
func (i *installer) replace(c Component, tmp string) error {
	final := filepath.Join(i.dir, c.Name)
	old := tmp + ".old"
	if err := os.Rename(final, old); err != nil && !os.IsNotExist(err) {
		return err
	}
	defer os.RemoveAll(old)
	if err := os.Rename(tmp, final); err != nil && !c.Installed(i.dir) {
		return err // else another installer was faster, with the same result
	}
	return nil
}

// pomFor is a project that depends on the coordinates and has nothing else.
func pomFor(coordinates []string) ([]byte, error) {
	type dependency struct {
		GroupID    string `xml:"groupId"`
		ArtifactID string `xml:"artifactId"`
		Version    string `xml:"version"`
	}
	project := struct {
		XMLName      xml.Name     `xml:"project"`
		ModelVersion string       `xml:"modelVersion"`
		GroupID      string       `xml:"groupId"`
		ArtifactID   string       `xml:"artifactId"`
		Version      string       `xml:"version"`
		Dependencies []dependency `xml:"dependencies>dependency"`
	}{ModelVersion: "4.0.0", GroupID: "holdfast", ArtifactID: "real", Version: "1"}
	for _, c := range coordinates {
		parts := strings.Split(c, ":")
		if len(parts) != 3 {
			return nil, fmt.Errorf("coordinate %q: want group:artifact:version", c)
		}
		project.Dependencies = append(project.Dependencies, dependency{parts[0], parts[1], parts[2]})
	}
	return xml.MarshalIndent(project, "", "  ")
}

// run executes a command in dir. Its output is shown only when it fails.
func (i *installer) run(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}
