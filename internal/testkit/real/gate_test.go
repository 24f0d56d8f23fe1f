package real

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder is a testing.TB that notes how the gate ended it. Like the real one
// it leaves the goroutine on Skip and Fatal.
type recorder struct {
	testing.TB
	ended string
}

func (r *recorder) Helper() {}
func (r *recorder) Skip(args ...any) {
	r.ended = "skip: " + fmt.Sprint(args...)
	runtime.Goexit()
}
func (r *recorder) Skipf(format string, args ...any) { r.Skip(fmt.Sprintf(format, args...)) }
func (r *recorder) Fatalf(format string, args ...any) {
	r.ended = "fatal: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

func ended(f func(t testing.TB)) string {
	r, done := &recorder{}, make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r.ended
}

func TestGate(t *testing.T) {
	absent := errors.New("no such directory")
	for _, c := range []struct {
		real, require string
		enabled       string
		need          string
	}{
		{"", "", "skip", "skip"},
		{"0", "", "skip", "skip"},
		{"1", "", "", "skip"},
		{"", "1", "", "fatal"},
		{"1", "1", "", "fatal"},
	} {
		t.Run("real="+c.real+",require="+c.require, func(t *testing.T) {
			t.Setenv("HOLDFAST_REAL", c.real)
			t.Setenv("HOLDFAST_REQUIRE_REAL", c.require)
			got := ended(Enabled)
			if c.enabled == "" {
				require.Empty(t, got)
			} else {
				require.Contains(t, got, c.enabled+": ")
			}
			require.Empty(t, ended(func(t testing.TB) { Need(t, "kafka", nil) }))
			got = ended(func(t testing.TB) { Need(t, "kafka-4.4.0", absent) })
			require.Contains(t, got, c.need+": need kafka-4.4.0: no such directory")
			require.Contains(t, got, "make real")
		})
	}
}

func TestClassPath_NamesWhatIsAbsentOrUnknown(t *testing.T) {
	t.Setenv("HF_REAL", t.TempDir())
	t.Setenv("HOLDFAST_REQUIRE_REAL", "")
	classPath := func(component string) string {
		return ended(func(t testing.TB) { ClassPath(t, component) })
	}
	require.Contains(t, classPath("kafka-streams-4.4.0"), "skip: need kafka-streams-4.4.0: ")
	// A name that nothing has is a broken test, also where real components are optional.
	require.Contains(t, classPath("kafka-streams"), `fatal: component "kafka-streams", want one of kafka-4.4.0, `)
}
