package oracle

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/holdfast-sec/holdfast/internal/testkit/java"
)

// release is the Java version that oracles are written in: that of the oldest
// JDK which runs Kafka 4.
const release = "17"

// compile returns the directory with the classes of an oracle. It compiles once
// for the same sources, Java release and class path; the name of the directory
// in the cache is their hash. Several test binaries may do so at once: each
// compiles beside the final place, and the first to rename wins.
func compile(main, jars string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	root := filepath.Join(cache, "holdfast", "oracle")
	id, err := hash(java.Sources, main, release, jars)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, id)
	if isDir(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(root, ".new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	sources, classes := filepath.Join(tmp, "src"), filepath.Join(tmp, "classes")
	if err := os.CopyFS(sources, java.Sources); err != nil {
		return "", err
	}
	// With a source path javac compiles the class and what it uses, so that a
	// broken oracle does not break the others.
	out, err := exec.Command("javac", "--release", release, "-Xlint:all", "-proc:none", "-implicit:class",
		"-cp", jars, "-sourcepath", sources, "-d", classes,
		filepath.Join(sources, main+".java")).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("javac %s.java: %w\n%s", main, err, out)
	}
	if err := os.Rename(classes, dir); err != nil && !isDir(dir) {
		return "", err
	}
	return dir, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// hash covers the files, with their names, and the other words.
func hash(files fs.FS, words ...string) (string, error) {
	h := sha256.New()
	for _, w := range words {
		fmt.Fprintf(h, "%q\n", w)
	}
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%q %d\n", path, len(data))
		h.Write(data)
		return nil
	})
	return fmt.Sprintf("%x", h.Sum(nil)[:16]), err
}
