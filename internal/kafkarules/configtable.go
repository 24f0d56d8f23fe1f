package kafkarules

import "slices"

// config is one topic config: LogConfig's definition of it, over the releases.
type config struct {
	kind kind
	// rules are in order of release and do not overlap; where one is missing
	// for a release, the config does not exist there.
	rules []rule
	// broker is what the broker calls its default for the config, "" where there
	// is none and every topic starts with false or an empty list.
	broker string
}

func (c config) exists() span {
	return span{c.rules[0].from, c.rules[len(c.rules)-1].last}
}

// existsIn reports whether a release has the config.
func (c config) existsIn(v Version) bool {
	return slices.ContainsFunc(c.rules, func(r rule) bool { return r.has(v) })
}

// topicConfigs are the public keys of org.apache.kafka.storage.internals.log.LogConfig
// (kafka.log.LogConfig up to 3.4). internal.segment.bytes, for Kafka's own
// tests, is left out on purpose.
var topicConfigs = map[string]config{
	"cleanup.policy":         {kind: kindList, broker: "log.cleanup.policy", rules: []rule{listOf("compact", "delete")}},
	"compression.gzip.level": {kind: kindInt, broker: "compression.gzip.level", rules: []rule{gzipLevel().in(since(3, 8))}},
	"compression.lz4.level":  {kind: kindInt, broker: "compression.lz4.level", rules: []rule{between(1, 17).in(since(3, 8))}},
	"compression.type": {kind: kindString, broker: "compression.type", rules: []rule{
		oneOf("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer")}},
	"compression.zstd.level":              {kind: kindInt, broker: "compression.zstd.level", rules: []rule{between(-131072, 22).in(since(3, 8))}},
	"delete.retention.ms":                 {kind: kindLong, broker: "log.cleaner.delete.retention.ms", rules: []rule{atLeast(0)}},
	"errors.deadletterqueue.group.enable": {kind: kindBoolean, rules: []rule{truth().in(since(4, 4))}},
	"file.delete.delay.ms":                {kind: kindLong, broker: "log.segment.delete.delay.ms", rules: []rule{atLeast(0)}},
	"flush.messages": {kind: kindLong, broker: "log.flush.interval.messages", rules: []rule{
		atLeast(0).in(upTo(3, 2)), atLeast(1).in(since(3, 3))}},
	"flush.ms": {kind: kindLong, broker: "log.flush.interval.ms", rules: []rule{atLeast(0)}},
	"follower.replication.throttled.replicas": {kind: kindList, rules: []rule{throttledReplicas()}},
	"index.interval.bytes":                    {kind: kindInt, broker: "log.index.interval.bytes", rules: []rule{atLeast(0)}},
	"leader.replication.throttled.replicas":   {kind: kindList, rules: []rule{throttledReplicas()}},
	"local.retention.bytes":                   {kind: kindLong, broker: "log.local.retention.bytes", rules: []rule{atLeast(-2).in(since(3, 0))}},
	"local.retention.ms":                      {kind: kindLong, broker: "log.local.retention.ms", rules: []rule{atLeast(-2).in(since(3, 0))}},
	"max.compaction.lag.ms":                   {kind: kindLong, broker: "log.cleaner.max.compaction.lag.ms", rules: []rule{atLeast(1)}},
	"max.decompressed.message.bytes": {kind: kindInt, broker: "max.decompressed.message.bytes", rules: []rule{
		between(1, 2147483639).in(since(4, 4))}},
	"max.message.bytes":                   {kind: kindInt, broker: "message.max.bytes", rules: []rule{atLeast(0)}},
	"message.downconversion.enable":       {kind: kindBoolean, broker: "log.message.downconversion.enable", rules: []rule{truth().in(upTo(3, 9))}},
	"message.format.version":              {kind: kindString, broker: "log.message.format.version", rules: []rule{formatVersion().in(upTo(3, 9))}},
	"message.timestamp.after.max.ms":      {kind: kindLong, broker: "log.message.timestamp.after.max.ms", rules: []rule{atLeast(0).in(since(3, 6))}},
	"message.timestamp.before.max.ms":     {kind: kindLong, broker: "log.message.timestamp.before.max.ms", rules: []rule{atLeast(0).in(since(3, 6))}},
	"message.timestamp.difference.max.ms": {kind: kindLong, broker: "log.message.timestamp.difference.max.ms", rules: []rule{atLeast(0).in(upTo(3, 9))}},
	"message.timestamp.type":              {kind: kindString, broker: "log.message.timestamp.type", rules: []rule{oneOf("CreateTime", "LogAppendTime")}},
	"min.cleanable.dirty.ratio":           {kind: kindDouble, broker: "log.cleaner.min.cleanable.ratio", rules: []rule{ratio()}},
	"min.compaction.lag.ms":               {kind: kindLong, broker: "log.cleaner.min.compaction.lag.ms", rules: []rule{atLeast(0)}},
	"min.insync.replicas":                 {kind: kindInt, broker: "min.insync.replicas", rules: []rule{atLeast(1)}},
	"preallocate":                         {kind: kindBoolean, broker: "log.preallocate", rules: []rule{truth()}},
	"remote.copy.lag.bytes":               {kind: kindLong, broker: "log.remote.copy.lag.bytes", rules: []rule{atLeast(-1).in(since(4, 4))}},
	"remote.copy.lag.ms":                  {kind: kindLong, broker: "log.remote.copy.lag.ms", rules: []rule{atLeast(-1).in(since(4, 4))}},
	"remote.log.copy.disable":             {kind: kindBoolean, rules: []rule{truth().in(since(3, 9))}},
	"remote.log.delete.on.disable":        {kind: kindBoolean, rules: []rule{truth().in(since(3, 9))}},
	"remote.storage.enable":               {kind: kindBoolean, rules: []rule{truth().in(since(3, 0))}},
	"retention.bytes":                     {kind: kindLong, broker: "log.retention.bytes", rules: []rule{anyNumber()}},
	"retention.ms":                        {kind: kindLong, broker: "log.retention.ms", rules: []rule{atLeast(-1)}},
	"segment.bytes": {kind: kindInt, broker: "log.segment.bytes", rules: []rule{
		atLeast(14).in(upTo(4, 0)), atLeast(1 << 20).in(since(4, 1))}},
	"segment.index.bytes": {kind: kindInt, broker: "log.index.size.max.bytes", rules: []rule{
		atLeast(0).in(upTo(3, 2)), atLeast(4).in(since(3, 3))}},
	"segment.jitter.ms":              {kind: kindLong, broker: "log.roll.jitter.ms", rules: []rule{atLeast(0)}},
	"segment.ms":                     {kind: kindLong, broker: "log.roll.ms", rules: []rule{atLeast(1)}},
	"unclean.leader.election.enable": {kind: kindBoolean, broker: "unclean.leader.election.enable", rules: []rule{truth()}},
}
