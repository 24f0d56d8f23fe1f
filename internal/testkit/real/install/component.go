package install

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Kind is what a component's jars are for.
type Kind int

// The kinds.
const (
	// Broker is a Kafka that package real starts. Its version is what follows
	// "kafka-" in the name.
	Broker Kind = iota
	// Client is a class path for programs that talk to brokers.
	Client
)

// Component is a set of jars that are used as one class path.
type Component struct {
	// Name is the directory below the cache, like "kafka-4.4.0".
	Name string
	Kind Kind
	// Coordinates are Maven's group:artifact:version. What they need at run
	// time comes with them.
	Coordinates []string
}

// Components are what `make real` installs.
func Components() []Component {
	return []Component{
		// The version that most tests run against.
		{Name: "kafka-4.4.0", Coordinates: []string{
			"org.apache.kafka:kafka_2.13:4.4.0",
			"org.apache.logging.log4j:log4j-slf4j-impl:2.25.1",
		}},
		// The line before, with the classes behind the console scripts.
		{Name: "kafka-4.3.1", Coordinates: []string{
			"org.apache.kafka:kafka_2.13:4.3.1",
			"org.apache.kafka:kafka-tools:4.3.1",
			"org.apache.logging.log4j:log4j-slf4j-impl:2.25.1",
		}},
		// The last line with ZooKeeper, whose jars it needs itself.
		{Name: "kafka-3.9.2", Coordinates: []string{
			"org.apache.kafka:kafka_2.13:3.9.2",
			"org.slf4j:slf4j-reload4j:1.7.36",
		}},
		{Name: "kafka-streams-4.4.0", Kind: Client, Coordinates: []string{
			"org.apache.kafka:kafka-streams:4.4.0",
			"org.apache.logging.log4j:log4j-slf4j-impl:2.25.1",
		}},
		{Name: "kafka-connect-4.4.0", Kind: Client, Coordinates: []string{
			"org.apache.kafka:connect-runtime:4.4.0",
			"org.apache.kafka:connect-json:4.4.0",
			"org.apache.kafka:connect-transforms:4.4.0",
			"org.apache.logging.log4j:log4j-slf4j-impl:2.25.1",
		}},
		// MirrorMaker and the file connectors are not published for 4.4.0.
		{Name: "kafka-connect-4.3.1", Kind: Client, Coordinates: []string{
			"org.apache.kafka:connect-runtime:4.3.1",
			"org.apache.kafka:connect-mirror:4.3.1",
			"org.apache.kafka:connect-mirror-client:4.3.1",
			"org.apache.kafka:connect-file:4.3.1",
			"org.apache.kafka:connect-json:4.3.1",
			"org.apache.kafka:connect-transforms:4.3.1",
			"org.apache.logging.log4j:log4j-slf4j-impl:2.25.1",
		}},
	}
}

// Lookup returns the one of [Components] that has the name.
func Lookup(name string) (Component, error) {
	var known []string
	for _, c := range Components() {
		if c.Name == name {
			return c, nil
		}
		known = append(known, c.Name)
	}
	return Component{}, fmt.Errorf("component %q, want one of %s", name, strings.Join(known, ", "))
}

// Version is that of a broker.
func (c Component) Version() string { return strings.TrimPrefix(c.Name, "kafka-") }

// CacheDir is the cache's place: $HF_REAL, else holdfast/real in
// $XDG_CACHE_HOME or ~/.cache. It may not exist yet.
func CacheDir() string {
	if dir := os.Getenv("HF_REAL"); dir != "" {
		return dir
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "holdfast", "real")
	}
	// Without a home the path is relative and holds nothing, which real.Need reports.
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".cache", "holdfast", "real")
}

// stampFile marks a complete directory and holds the coordinates it was made
// from, so that a changed list installs anew.
const stampFile = "coordinates"

func (c Component) stamp() string { return strings.Join(c.Coordinates, "\n") + "\n" }

// Installed reports whether dir holds exactly this component, complete.
func (c Component) Installed(dir string) bool {
	stamp, err := os.ReadFile(filepath.Join(dir, c.Name, stampFile))
	return err == nil && string(stamp) == c.stamp()
}

// ClassPath is the value of java's -cp for the component installed in dir. The
// error says what is missing.
func (c Component) ClassPath(dir string) (string, error) {
	lib := filepath.Join(dir, c.Name, "lib")
	if missing := c.missingJars(lib); len(missing) > 0 {
		return "", fmt.Errorf("%s lacks %s", lib, strings.Join(missing, ", "))
	}
	return filepath.Join(lib, "*"), nil
}

// missingJars are those of its own coordinates that lib does not hold.
func (c Component) missingJars(lib string) []string {
	var missing []string
	for _, coordinate := range c.Coordinates {
		_, artifact, _ := strings.Cut(coordinate, ":")
		jar := strings.Replace(artifact, ":", "-", 1) + ".jar"
		if _, err := os.Stat(filepath.Join(lib, jar)); errors.Is(err, os.ErrNotExist) {
			missing = append(missing, jar)
		}
	}
	return missing
}
