package kafkarules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ConfigError is what is wrong with one config of a set.
type ConfigError struct {
	// Key is the config to point at.
	Key string
	// Err says what is wrong; where two configs contradict each other it names
	// both.
	Err error
}

func (e *ConfigError) Error() string { return e.Err.Error() }

func (e *ConfigError) Unwrap() error { return e.Err }

// Reason is the text of the error without the key that it begins with, for whoever
// shows the key in front of it.
func (e *ConfigError) Reason() string {
	text, found := strings.CutPrefix(e.Error(), "config "+quote(e.Key))
	if !found {
		return text
	}
	return strings.TrimPrefix(strings.TrimPrefix(text, ":"), " ")
}

// TopicConfigs judges a whole set of topic configs: each alone, by all known
// releases, and together by LogConfig's rules across them. Each error is a
// [*ConfigError]; they are sorted by key. Give it all that the topic will have,
// since a broker judges a change together with what is already set. A config
// that is missing has the broker's default; where that would decide,
// [TopicConfigNeeds] says so and no error is reported.
func TopicConfigs(configs map[string]string) []error { return TopicConfigsIn(Version{}, configs) }

// TopicConfigsIn is [TopicConfigs] for one release.
func TopicConfigsIn(v Version, configs map[string]string) []error {
	return newConfigSet(v, configs).sorted()
}

// TopicConfigNeeds lists, by their names in the broker's configuration, the
// settings outside a set of topic configs that still decide whether a broker
// accepts it. They are sorted. Broker-wide defaults that contradict each other
// are not looked for: they fail every topic alike.
func TopicConfigNeeds(configs map[string]string) []string {
	return TopicConfigNeedsIn(Version{}, configs)
}

// TopicConfigNeedsIn is [TopicConfigNeeds] for one release.
func TopicConfigNeedsIn(v Version, configs map[string]string) []string {
	set := newConfigSet(v, configs)
	slices.Sort(set.needs)
	return slices.Compact(set.needs)
}

// configSet judges configs against each other. A rule whose inputs are not all
// known adds to needs instead of failing.
type configSet struct {
	v      Version
	known  map[string]value
	broken []string // judged already, so nothing follows from them
	errs   []error
	needs  []string
}

func newConfigSet(v Version, configs map[string]string) *configSet {
	set := &configSet{v: v, known: map[string]value{}}
	for _, key := range slices.Sorted(maps.Keys(configs)) {
		parsed, err := readConfig(v, key, configs[key])
		if err != nil {
			set.fail(key, err)
			set.broken = append(set.broken, key)
			continue
		}
		set.known[key] = parsed
	}
	set.judge()
	return set
}

func (s *configSet) fail(key string, err error) {
	s.errs = append(s.errs, &ConfigError{Key: key, Err: err})
}

// judge applies LogConfig.validate of 4.4. Older releases have the same rules
// for the configs that they know.
func (s *configSet) judge() {
	s.compactionLag()
	if remote, ok := s.known["remote.storage.enable"]; !ok || !remote.truth {
		return
	}
	if s.v != (Version{}) && s.v.Before(Version{3, 6}) {
		return // the config was there, unused, before KIP-405 was finished
	}
	s.need("remote.log.storage.system.enable")
	s.remotePolicy()
	for _, unit := range []string{"bytes", "ms"} {
		s.localRetention(unit)
		s.remoteCopyLag(unit)
		s.copyDisabled(unit)
	}
}

func (s *configSet) sorted() []error {
	slices.SortStableFunc(s.errs, func(a, b error) int {
		return strings.Compare(a.(*ConfigError).Key, b.(*ConfigError).Key)
	})
	return s.errs
}

func (s *configSet) need(broker string) { s.needs = append(s.needs, broker) }

// numbers looks up configs that a rule compares; ok is false where one is
// missing, since the broker's default then decides.
func (s *configSet) numbers(keys ...string) (n []int64, ok bool) {
	var missing []string
	for _, key := range keys {
		if slices.Contains(s.broken, key) {
			return nil, false
		}
		v, known := s.known[key]
		if !known {
			missing = append(missing, key)
		}
		n = append(n, v.number)
	}
	for _, key := range missing {
		s.need(topicConfigs[key].broker)
	}
	return n, len(missing) == 0
}

// lacksBoth reports whether a rule concerns the broker's defaults alone, which
// fail every topic alike and are not this set's affair.
func (s *configSet) lacksBoth(a, b string) bool {
	_, hasA := s.known[a]
	_, hasB := s.known[b]
	return !hasA && !hasB
}

func (s *configSet) compactionLag() {
	const low, high = "min.compaction.lag.ms", "max.compaction.lag.ms"
	if s.lacksBoth(low, high) {
		return
	}
	// The smallest minimum and the largest maximum contradict nothing, so that a
	// default on the other side cannot either.
	if v, ok := s.known[low]; ok && v.number == 0 {
		return
	}
	if v, ok := s.known[high]; ok && v.number == 1<<63-1 {
		return
	}
	if n, ok := s.numbers(low, high); ok && n[0] > n[1] {
		s.fail(low, fmt.Errorf("config %q is %d, more than %q, which is %d: allowed is at most that", low, n[0], high, n[1]))
	}
}
