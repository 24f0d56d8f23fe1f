package install

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var component = Component{Name: "thing-1", Coordinates: []string{"org.example:thing_2.13:1.0", "org.example:log:2.1"}}

// fakeTools is a PATH with a JDK and a Maven of our own. Maven "downloads" the
// jars it is told to, appends to a log, and fails where told to.
func fakeTools(t *testing.T, jars ...string) (mavenLog string) {
	t.Helper()
	bin := t.TempDir()
	mavenLog = filepath.Join(bin, "log")
	script := "#!/bin/sh\nPATH=/usr/bin:/bin\ntest -f pom.xml || exit 9\necho \"$@\" >>" + mavenLog + "\nmkdir lib\n"
	for _, jar := range jars {
		if jar == "FAIL" {
			script += "echo '[ERROR] repository says no'; exit 1\n"
			break
		}
		script += "echo x >lib/" + jar + "\n"
	}
	for name, text := range map[string]string{
		"mvn":   script,
		"java":  "#!/bin/sh\n",
		"javac": "#!/bin/sh\necho javac 17.0.15\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755))
	}
	t.Setenv("PATH", bin)
	return mavenLog
}

func run(t *testing.T, dir string) (string, error) {
	var out bytes.Buffer
	err := Run(t.Context(), Options{Dir: dir, Out: &out, Components: []Component{component}})
	return out.String(), err
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestRun_InstallsOnce(t *testing.T) {
	mavenLog := fakeTools(t, "thing_2.13-1.0.jar", "log-2.1.jar", "dependency-3.jar")
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	_, err := component.ClassPath(dir)
	require.ErrorContains(t, err, "lacks thing_2.13-1.0.jar, log-2.1.jar")

	out, err := run(t, dir)
	require.NoError(t, err)
	require.Contains(t, out, "real: thing-1: copying jars to "+dir)
	require.Contains(t, out, "real: thing-1: installed in ")
	require.Equal(t, []string{"thing-1"}, entries(t, dir), "nothing else remains")
	require.True(t, component.Installed(dir))
	classPath, err := component.ClassPath(dir)
	require.NoError(t, err)
	require.Equal(t, dir+"/thing-1/lib/*", classPath)
	pom, err := os.ReadFile(filepath.Join(dir, "thing-1", "pom.xml"))
	require.NoError(t, err)
	require.Contains(t, string(pom), "<artifactId>thing_2.13</artifactId>")

	out, err = run(t, dir)
	require.NoError(t, err)
	require.Equal(t, "real: thing-1: in place\n", out)
	log, err := os.ReadFile(mavenLog)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(log), "\n"), "maven ran once: %s", log)
}

func TestRun_ReplacesOtherCoordinates(t *testing.T) {
	fakeTools(t, "thing_2.13-1.0.jar", "log-2.1.jar")
	dir := t.TempDir()
	old := filepath.Join(dir, "thing-1", "lib", "log-1.0.jar")
	require.NoError(t, os.MkdirAll(filepath.Dir(old), 0o755))
	require.NoError(t, os.WriteFile(old, nil, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "thing-1", stampFile), []byte("org.example:log:1.0\n"), 0o644))

	_, err := run(t, dir)
	require.NoError(t, err)
	require.Equal(t, []string{"thing-1"}, entries(t, dir))
	require.Equal(t, []string{"log-2.1.jar", "thing_2.13-1.0.jar"}, entries(t, filepath.Join(dir, "thing-1", "lib")))
}

func TestRun_LeavesNothingWhenMavenFails(t *testing.T) {
	for name, c := range map[string]struct {
		jars []string
		want string
	}{
		"refused": {[]string{"thing_2.13-1.0.jar", "FAIL"}, "repository says no"},
		"partial": {[]string{"thing_2.13-1.0.jar"}, "mvn copied no log-2.1.jar"},
	} {
		t.Run(name, func(t *testing.T) {
			fakeTools(t, c.jars...)
			dir := t.TempDir()
			_, err := run(t, dir)
			require.ErrorContains(t, err, "install thing-1: ")
			require.ErrorContains(t, err, c.want)
			require.Empty(t, entries(t, dir))
			require.False(t, component.Installed(dir))
		})
	}
}

func TestRun_SaysWhatToDoWithoutTools(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := run(t, t.TempDir())
	require.EqualError(t, err, "no java in PATH; no mvn in PATH: put JDK 17 or newer and Maven into PATH and run this again, "+
		"or run it as root on Debian or Ubuntu, where it installs them with apt-get")
}

// fakeAPT is a PATH where apt-get notes what it is asked and then runs script.
func fakeAPT(t *testing.T, script string) (bin string) {
	t.Helper()
	bin = t.TempDir()
	for name, text := range map[string]string{
		"apt-get":   "#!/bin/sh\nPATH=/usr/bin:/bin\ncd " + bin + "\necho \"$DEBIAN_FRONTEND $@\" >>log\n" + script,
		"apt-cache": "#!/bin/sh\necho '  Candidate: 17.0.15+6-1~deb12u1'\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755))
	}
	t.Setenv("PATH", bin)
	return bin
}

func TestEnsureTools_InstallsWhatIsMissing(t *testing.T) {
	bin := fakeAPT(t, `[ "$1" = install ] || exit 0
for f in java javac mvn; do printf '#!/bin/sh\necho javac 17.0.1\n' >$f; chmod +x $f; done
`)
	var out bytes.Buffer
	i := &installer{out: &out, root: true}
	require.NoError(t, i.ensureTools(t.Context(), true))
	log, err := os.ReadFile(filepath.Join(bin, "log"))
	require.NoError(t, err)
	require.Equal(t, "noninteractive update -q\n"+
		"noninteractive install -y -q --no-install-recommends openjdk-17-jdk-headless maven\n", string(log))
	require.Contains(t, out.String(), "real: apt-get install openjdk-17-jdk-headless maven\n")

	require.NoError(t, i.ensureTools(t.Context(), true))
	again, err := os.ReadFile(filepath.Join(bin, "log"))
	require.NoError(t, err)
	require.Equal(t, log, again, "nothing is missing any more")
}

func TestEnsureTools_SaysWhatAPTCouldNotDo(t *testing.T) {
	i := &installer{out: io.Discard, root: true}
	fakeAPT(t, "echo 'E: no network'; exit 100\n")
	require.ErrorContains(t, i.ensureTools(t.Context(), true), "E: no network")

	bin := fakeAPT(t, "")
	for name, text := range map[string]string{"java": "", "javac": "echo javac 11.0.2\n", "mvn": ""} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text), 0o755))
	}
	require.EqualError(t, i.ensureTools(t.Context(), false), `after apt-get install openjdk-17-jdk-headless still `+
		`javac in PATH is "javac 11.0.2", want 17 or newer (is another version first in PATH?)`)
}

func TestEnsureServers_InstallsWhatIsMissingAndStartsNothing(t *testing.T) {
	bin := fakeAPT(t, `[ "$1" = install ] || exit 0
cat policy-rc.d >policy-then
printf '#!/bin/sh\n' >holdfastd; chmod +x holdfastd
`)
	i := &installer{out: io.Discard, root: true, policy: filepath.Join(bin, "policy-rc.d")}
	servers := []Server{{"holdfastd", "holdfast-server"}}
	require.NoError(t, i.ensureServers(t.Context(), servers))
	log, err := os.ReadFile(filepath.Join(bin, "log"))
	require.NoError(t, err)
	require.Equal(t, "noninteractive update -q\n"+
		"noninteractive install -y -q --no-install-recommends holdfast-server\n", string(log))
	policy, err := os.ReadFile(filepath.Join(bin, "policy-then"))
	require.NoError(t, err)
	require.Equal(t, "#!/bin/sh\nexit 101\n", string(policy))
	require.NoFileExists(t, i.policy)

	require.NoError(t, i.ensureServers(t.Context(), servers))
	again, err := os.ReadFile(filepath.Join(bin, "log"))
	require.NoError(t, err)
	require.Equal(t, log, again, "nothing is missing any more")
}

func TestEnsureServers_KeepsThePolicyOfTheMachine(t *testing.T) {
	bin := fakeAPT(t, "exit 1\n")
	i := &installer{out: io.Discard, root: true, policy: filepath.Join(bin, "policy-rc.d")}
	require.NoError(t, os.WriteFile(i.policy, []byte("its own"), 0o755))
	require.Error(t, i.ensureServers(t.Context(), []Server{{"holdfastd", "holdfast-server"}}))
	policy, err := os.ReadFile(i.policy)
	require.NoError(t, err)
	require.Equal(t, "its own", string(policy))
}

func TestEnsureServers_SaysWhatToDoWithoutRoot(t *testing.T) {
	i := &installer{out: io.Discard}
	err := i.ensureServers(t.Context(), []Server{{"holdfastd", "holdfast-server"}, {"/opt/x/otherd", "other"}})
	require.EqualError(t, err, "no holdfastd, otherd: install them and run this again, or run it as root on Debian, where it installs holdfast-server other with apt-get")
}

func TestRun_NeedsNoMavenWhenAllIsThere(t *testing.T) {
	fakeTools(t, "thing_2.13-1.0.jar", "log-2.1.jar")
	dir := t.TempDir()
	_, err := run(t, dir)
	require.NoError(t, err)
	mvn, err := filepath.Glob(os.Getenv("PATH") + "/mvn")
	require.NoError(t, err)
	require.NoError(t, os.Remove(mvn[0]))
	_, err = run(t, dir)
	require.NoError(t, err)
}

func TestJavaMajor(t *testing.T) {
	for out, want := range map[string]int{
		"javac 17.0.15\n": 17,
		"javac 21":        21,
		"javac 1.8.0_412": 8,
		"javac 26-ea":     26,
		"":                0,
		"bash: javac: no": 0,
		"Picked up JAVA_TOOL_OPTIONS: -Dx\njavac 17.0.1": 17,
	} {
		require.Equal(t, want, javaMajor(out), "%q", out)
	}
}

func TestComponents_HaveWellFormedCoordinates(t *testing.T) {
	names := map[string]bool{}
	for _, c := range Components() {
		require.False(t, names[c.Name], c.Name)
		names[c.Name] = true
		_, err := pomFor(c.Coordinates)
		require.NoError(t, err)
	}
	_, err := pomFor([]string{"org.example:thing"})
	require.EqualError(t, err, `coordinate "org.example:thing": want group:artifact:version`)
}

func TestCacheDir(t *testing.T) {
	t.Setenv("HOME", "/home/someone")
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HF_REAL", "")
	require.Equal(t, "/home/someone/.cache/holdfast/real", CacheDir())
	t.Setenv("XDG_CACHE_HOME", "/var/cache")
	require.Equal(t, "/var/cache/holdfast/real", CacheDir())
	t.Setenv("HF_REAL", "/srv/real")
	require.Equal(t, "/srv/real", CacheDir())
}
