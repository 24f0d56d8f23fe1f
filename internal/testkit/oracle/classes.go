package oracle

import (
	"os/exec"
	"testing"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// Classes compiles a class of internal/testkit/java against a component, for a
// broker to load (see real.Options.ClassPath), and returns the directory. It
// skips where Start does.
func Classes(t testing.TB, main, component string) string {
	t.Helper()
	real.Enabled(t)
	_, err := exec.LookPath("javac")
	real.Need(t, "a JDK", err)
	dir, err := compile(main, real.ClassPath(t, component))
	if err != nil {
		t.Fatalf("compile %s: %v", main, err)
	}
	return dir
}
