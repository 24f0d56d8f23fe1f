package kafkasec

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/holdfast-sec/holdfast"
)

var update = flag.Bool("update", false, "write golden files anew")

// fake is an embedded three-broker cluster with SASL and ACLs, and the
// reconciler that its super user has.
type fake struct {
	*kfake.Cluster
	t        *testing.T
	r        *Reconciler
	requests atomic.Int64 // without handshakes
}

func newFake(t *testing.T, opts ...kfake.Opt) *fake {
	t.Helper()
	opts = append([]kfake.Opt{kfake.NumBrokers(3), kfake.EnableACLs(), kfake.EnableSASL(), kfake.Superuser("PLAIN", "admin", "adminpw")}, opts...)
	c, err := kfake.NewCluster(opts...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	f := &fake{Cluster: c, t: t}
	f.r = &Reconciler{Client: f.client("admin", "adminpw")}
	return f
}

func (f *fake) client(user, password string, opts ...kgo.Opt) *kgo.Client {
	opts = append([]kgo.Opt{
		kgo.SeedBrokers(f.ListenAddrs()...), kgo.SASL(plain.Auth{User: user, Pass: password}.AsMechanism()),
		kgo.WithHooks(OnRequest(func(RequestEvent) { f.requests.Add(1) })), kgo.RequestRetries(2),
	}, opts...)
	cl, err := kgo.NewClient(opts...)
	require.NoError(f.t, err)
	f.t.Cleanup(cl.Close)
	return cl
}

// plan observes and plans, which must succeed.
func (f *fake) plan(spec Spec) Plan {
	f.t.Helper()
	state, err := f.r.Observe(context.Background(), spec)
	require.NoError(f.t, err)
	plan, err := spec.Plan(state)
	require.NoError(f.t, err)
	return plan
}

// apply applies a fresh plan, which must succeed.
func (f *fake) apply(spec Spec) holdfast.Report {
	f.t.Helper()
	report, err := f.r.Apply(context.Background(), f.plan(spec))
	require.NoError(f.t, err)
	return report
}

// once answers the next request of the key with fn, which may return nils to
// let the cluster answer it.
func (f *fake) once(key kmsg.Key, fn func(kmsg.Request) (kmsg.Response, error, bool)) {
	f.ControlKey(key.Int16(), fn)
}

// always is once for every request.
func (f *fake) always(key kmsg.Key, fn func(kmsg.Request) (kmsg.Response, error, bool)) {
	f.ControlKey(key.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		return fn(req)
	})
}

func parse(t testing.TB, yaml string) Spec {
	t.Helper()
	s, err := ParseSpec("spec.yaml", []byte(yaml))
	require.NoError(t, err)
	return s
}

// outcomes lists a report as "outcome/reason kind name" lines.
func outcomes(r holdfast.Report) []string {
	var lines []string
	for _, o := range r.Outcomes {
		line := string(o.Outcome)
		if o.Reason != "" {
			line += "/" + string(o.Reason)
		}
		lines = append(lines, line+" "+string(o.Action)+" "+o.Kind+" "+o.Name)
	}
	return lines
}

// golden runs fn over every txtar file of a directory; fn reads the archive's
// input files and returns what the file "want" must hold.
func golden(t *testing.T, pattern string, fn func(t *testing.T, in map[string][]byte) string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			require.NoError(t, err)
			in := map[string][]byte{}
			want := -1
			for i, f := range ar.Files {
				if f.Name == "want" {
					want = i
					continue
				}
				in[f.Name] = f.Data
			}
			got := fn(t, in)
			if !strings.HasSuffix(got, "\n") {
				got += "\n"
			}
			if *update {
				if want < 0 {
					ar.Files = append(ar.Files, txtar.File{Name: "want"})
					want = len(ar.Files) - 1
				}
				ar.Files[want].Data = []byte(got)
				require.NoError(t, os.WriteFile(file, txtar.Format(ar), 0o644))
				return
			}
			require.GreaterOrEqual(t, want, 0, "run with -update once, then read the result")
			require.Equal(t, string(ar.Files[want].Data), got)
		})
	}
}
