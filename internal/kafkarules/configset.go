package kafkarules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
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

// TopicConfigs judges a whole set of topic configs: each alone, by all known
// releases, and together by LogConfig's rules across them. Each error is a
// [*ConfigError]; they are sorted by key. Give it all that the topic will have,
// since a broker judges a change together with what is already set. A config
// that is missing has the broker's default; where that would decide,
// [TopicConfigNeeds] says so and no error is reported.
func TopicConfigs(configs map[string]string) []error { return TopicConfigsIn(Version{}, configs) }

// TopicConfigsIn is [TopicConfigs] for one release.
func TopicConfigsIn(v Version, configs map[string]string) []error {
	set := newConfigSet(v, configs)
	slices.SortStableFunc(set.errs, func(a, b error) int {
		return strings.Compare(a.(*ConfigError).Key, b.(*ConfigError).Key)
	})
	return set.errs
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

// remotePolicy: tiered topics cannot be compacted.
func (s *configSet) remotePolicy() {
	policy, ok := s.known["cleanup.policy"]
	switch {
	case slices.Contains(s.broken, "cleanup.policy"):
	case !ok:
		s.need("log.cleanup.policy")
	case len(policy.list) == 0 && s.v == (Version{4, 1}):
		s.fail("cleanup.policy", errors.New(
			`config "cleanup.policy" is empty while "remote.storage.enable" is true: allowed is "delete"`))
	case slices.Contains(policy.list, "compact"):
		s.fail("cleanup.policy", fmt.Errorf(
			`config "cleanup.policy" is %q while "remote.storage.enable" is true: allowed is "delete"`, policy.text))
	}
}

// localRetention: what stays on the broker is part of what is kept at all.
func (s *configSet) localRetention(unit string) {
	local, total := "local.retention."+unit, "retention."+unit
	if s.lacksBoth(local, total) {
		return
	}
	if v, ok := s.known[local]; ok && v.number == -2 { // -2: the same as the total
		return
	}
	if v, ok := s.known[total]; ok && v.number == -1 { // -1: without limit
		return
	}
	n, ok := s.numbers(local, total)
	if !ok || unit == "bytes" && n[1] < 0 {
		return
	}
	if n[0] == -1 || n[0] > n[1] {
		s.fail(local, fmt.Errorf("config %q is %s, more than %q, which is %d: allowed is at most that, or -2 for the same",
			local, unlimited(n[0]), total, n[1]))
	}
}

func unlimited(n int64) string {
	if n == -1 {
		return "-1, without limit"
	}
	return strconv.FormatInt(n, 10)
}

// remoteCopyLag: a segment must be copied before it leaves the broker.
func (s *configSet) remoteCopyLag(unit string) {
	lag, local, total := "remote.copy.lag."+unit, "local.retention."+unit, "retention."+unit
	if !topicConfigs[lag].in(s.v) || s.lacksBoth(lag, local) && s.lacksBoth(lag, total) {
		return
	}
	if v, ok := s.known[lag]; ok && v.number <= 0 {
		return
	}
	l, known := s.known[local]
	limit := local
	if known && l.number == -2 {
		limit = total
	}
	if v, ok := s.known[limit]; ok && v.number < 0 { // without limit
		return
	}
	if !known { // it may turn out to be -2
		s.numbers(total)
	}
	if n, ok := s.numbers(lag, limit); ok && n[0] > n[1] {
		s.fail(lag, fmt.Errorf("config %q is %d, more than %q, which is %d: allowed is at most that", lag, n[0], limit, n[1]))
	}
}

// copyDisabled: without copies to come, local and total retention are one.
func (s *configSet) copyDisabled(unit string) {
	if v, ok := s.known["remote.log.copy.disable"]; !ok || !v.truth {
		return
	}
	local, total := "local.retention."+unit, "retention."+unit
	if v, ok := s.known[local]; ok && v.number == -2 {
		return
	}
	if n, ok := s.numbers(local, total); ok && n[0] != n[1] {
		s.fail(local, fmt.Errorf(`config %q is %d and %q is %d while "remote.log.copy.disable" is true: allowed is the same, or -2`,
			local, n[0], total, n[1]))
	}
}
