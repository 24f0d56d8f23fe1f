package kafkarules

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

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
	if !topicConfigs[lag].existsIn(s.v) || s.lacksBoth(lag, local) && s.lacksBoth(lag, total) {
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
