package real

import (
	"os"
	"testing"

	"github.com/holdfast-sec/holdfast/internal/testkit/real/install"
)

// Enabled skips the test unless real components were asked for, with
// HOLDFAST_REAL=1 or HOLDFAST_REQUIRE_REAL=1. It is opt-in even where they are
// installed, because starting them takes seconds and hundreds of megabytes.
func Enabled(t testing.TB) {
	t.Helper()
	if os.Getenv("HOLDFAST_REAL") != "1" && !required() {
		t.Skip("real components are off: set HOLDFAST_REAL=1, or run `make real`")
	}
}

// Need ends the test when err says that the component what is absent: with a
// skip that says how to get it or, under HOLDFAST_REQUIRE_REAL=1, with a
// failure, so that CI cannot pass by running nothing. A nil err does nothing.
//
// It is for absence only. A component that is there and does not work is a
// failure of the test.
func Need(t testing.TB, what string, err error) {
	t.Helper()
	switch {
	case err == nil:
	case required():
		t.Fatalf("need %s: %v (HOLDFAST_REQUIRE_REAL=1 turns this skip into a failure; `make real` installs it)", what, err)
	default:
		t.Skipf("need %s: %v (`make real` installs it)", what, err)
	}
}

// ClassPath is java's -cp for a component of package install, such as
// "kafka-streams-4.4.0". Where it is not installed it ends the test as Need does.
func ClassPath(t testing.TB, component string) string {
	t.Helper()
	c, err := install.Lookup(component)
	if err != nil {
		t.Fatal(err)
	}
	classPath, err := c.ClassPath(CacheDir())
	Need(t, component, err)
	return classPath
}

// CacheDir is where installed components live, one directory each, outside the
// tree: $HF_REAL, else holdfast/real in $XDG_CACHE_HOME or ~/.cache. It may not
// exist yet.
func CacheDir() string { return install.CacheDir() }

func required() bool { return os.Getenv("HOLDFAST_REQUIRE_REAL") == "1" }
