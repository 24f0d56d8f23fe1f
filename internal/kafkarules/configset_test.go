package kafkarules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

func TestTopicConfigs_ReportsEveryProblemByKey(t *testing.T) {
	errs := kafkarules.TopicConfigs(map[string]string{
		"retention.ms":          "soon",
		"cleanup.polcy":         "delete",
		"min.compaction.lag.ms": "10",
		"max.compaction.lag.ms": "5",
		"preallocate":           "true",
	})
	var keys []string
	for _, err := range errs {
		var at *kafkarules.ConfigError
		require.ErrorAs(t, err, &at)
		keys = append(keys, at.Key)
	}
	require.Equal(t, []string{"cleanup.polcy", "min.compaction.lag.ms", "retention.ms"}, keys)
}

func TestTopicConfigs_JudgesConfigsAgainstEachOther(t *testing.T) {
	const system = "remote.log.storage.system.enable"
	type configs = map[string]string
	for name, c := range map[string]struct {
		configs configs
		want    string
		needs   []string
	}{
		"empty":                      {configs: configs{}},
		"lags in order":              {configs: configs{"min.compaction.lag.ms": "5", "max.compaction.lag.ms": "5"}},
		"lags against each other":    {configs: configs{"min.compaction.lag.ms": "6", "max.compaction.lag.ms": "5"}, want: `"min.compaction.lag.ms" is 6, more than "max.compaction.lag.ms", which is 5`},
		"a minimum alone":            {configs: configs{"min.compaction.lag.ms": "6"}, needs: []string{"log.cleaner.max.compaction.lag.ms"}},
		"no minimum":                 {configs: configs{"min.compaction.lag.ms": "0"}},
		"a maximum alone":            {configs: configs{"max.compaction.lag.ms": "6"}, needs: []string{"log.cleaner.min.compaction.lag.ms"}},
		"a broken minimum":           {configs: configs{"min.compaction.lag.ms": "x", "max.compaction.lag.ms": "5"}, want: "is not a whole number"},
		"local, but not tiered":      {configs: configs{"local.retention.ms": "10", "retention.ms": "5"}},
		"tiered":                     {configs: configs{"remote.storage.enable": "true"}, needs: []string{"log.cleanup.policy", system}},
		"tiered and compacted":       {configs: configs{"remote.storage.enable": "true", "cleanup.policy": "delete,compact"}, want: `"cleanup.policy" is "delete,compact" while "remote.storage.enable" is true`},
		"local more than total":      {configs: configs{"remote.storage.enable": "true", "local.retention.ms": "10", "retention.ms": "5"}, want: `"local.retention.ms" is 10, more than "retention.ms", which is 5`},
		"local without limit":        {configs: configs{"remote.storage.enable": "true", "local.retention.bytes": "-1", "retention.bytes": "5"}, want: `"local.retention.bytes" is -1, without limit, more than "retention.bytes"`},
		"total without limit":        {configs: configs{"remote.storage.enable": "true", "cleanup.policy": "delete", "local.retention.bytes": "10", "retention.bytes": "-1", "remote.copy.lag.bytes": "0"}, needs: []string{system}},
		"copied too late":            {configs: configs{"remote.storage.enable": "true", "remote.copy.lag.ms": "6", "local.retention.ms": "-2", "retention.ms": "5"}, want: `"remote.copy.lag.ms" is 6, more than "retention.ms", which is 5`},
		"copied later than local":    {configs: configs{"remote.storage.enable": "true", "remote.copy.lag.bytes": "6", "local.retention.bytes": "5", "retention.bytes": "9"}, want: `"remote.copy.lag.bytes" is 6, more than "local.retention.bytes"`},
		"no copies but other totals": {configs: configs{"remote.storage.enable": "true", "remote.log.copy.disable": "true", "local.retention.ms": "4", "retention.ms": "5"}, want: `while "remote.log.copy.disable" is true`},
		"no copies, same totals":     {configs: configs{"remote.storage.enable": "true", "remote.log.copy.disable": "true", "local.retention.ms": "5", "retention.ms": "5"}},
	} {
		t.Run(name, func(t *testing.T) {
			errs := kafkarules.TopicConfigs(c.configs)
			if c.want == "" {
				require.Empty(t, errs)
			} else {
				require.Len(t, errs, 1)
				require.ErrorContains(t, errs[0], c.want)
			}
			if c.needs != nil {
				require.Equal(t, c.needs, kafkarules.TopicConfigNeeds(c.configs))
			}
		})
	}
}

func TestTopicConfigsIn_KnowsTheReleases(t *testing.T) {
	tiered := map[string]string{"remote.storage.enable": "true", "cleanup.policy": "compact"}
	require.Empty(t, kafkarules.TopicConfigsIn(release(3, 5), tiered))
	require.Len(t, kafkarules.TopicConfigsIn(release(3, 6), tiered), 1)
	tiered["cleanup.policy"] = ""
	require.Empty(t, kafkarules.TopicConfigsIn(release(4, 0), tiered))
	require.Len(t, kafkarules.TopicConfigsIn(release(4, 1), tiered), 1)
	require.Empty(t, kafkarules.TopicConfigsIn(release(4, 2), tiered))
	require.Empty(t, kafkarules.TopicConfigNeedsIn(release(4, 4), map[string]string{"retention.ms": "1"}))
}

// Where a caller shows the key in front, the text does not say it again.
func TestConfigError_ReasonLeavesTheKeyOut(t *testing.T) {
	for key, want := range map[string]string{
		"retention.mss":         `is unknown: did you mean "retention.ms"?`,
		"retention.ms":          `value "x" is not a whole number: allowed is a whole number of at least -1`,
		"log.retention.ms":      `is a broker's, not a topic's: the topic config is "retention.ms"`,
		"min.compaction.lag.ms": `is 100, more than "max.compaction.lag.ms", which is 50: allowed is at most that`,
	} {
		set := map[string]string{key: "x"}
		if key == "min.compaction.lag.ms" {
			set = map[string]string{key: "100", "max.compaction.lag.ms": "50"}
		}
		errs := kafkarules.TopicConfigs(set)
		require.Len(t, errs, 1)
		var ce *kafkarules.ConfigError
		require.ErrorAs(t, errs[0], &ce)
		require.Equal(t, want, ce.Reason())
	}
}
