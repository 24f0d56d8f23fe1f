package dial

import (
	"regexp"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast/internal/nearest"
)

// What ConfigDef of AdminClientConfig, ProducerConfig and ConsumerConfig knows
// in Kafka 4.4.0 beside the keys that are honoured.
var (
	// timing: connecting has other knobs here.
	timing = strings.Fields(`
		bootstrap.resolve.timeout.ms connections.max.idle.ms default.api.timeout.ms metadata.max.age.ms
		metadata.recovery.rebootstrap.trigger.ms metadata.recovery.strategy receive.buffer.bytes
		reconnect.backoff.max.ms reconnect.backoff.ms retries retry.backoff.max.ms retry.backoff.ms
		send.buffer.bytes socket.connection.setup.timeout.max.ms socket.connection.setup.timeout.ms`)
	// observing: metrics of the Java process.
	observing = strings.Fields(`
		auto.include.jmx.reporter enable.metrics.push metric.reporters metrics.num.samples
		metrics.recording.level metrics.sample.window.ms`)
	// records: only for clients that produce or consume.
	records = strings.Fields(`
		acks allow.auto.create.topics auto.commit.interval.ms auto.offset.reset batch.size buffer.memory
		buffer.memory.allocation.strategy check.crcs client.rack compression.gzip.level compression.lz4.level
		compression.type compression.zstd.level delivery.timeout.ms enable.auto.commit enable.idempotence
		exclude.internal.topics fetch.max.bytes fetch.max.wait.ms fetch.min.bytes group.id group.instance.id
		group.protocol group.remote.assignor heartbeat.interval.ms interceptor.classes
		internal.throw.on.fetch.stable.offset.unsupported isolation.level key.deserializer key.serializer
		linger.ms max.block.ms max.in.flight.requests.per.connection max.partition.fetch.bytes
		max.poll.interval.ms max.poll.records max.request.size metadata.max.idle.ms
		partition.assignment.strategy partitioner.adaptive.partitioning.enable
		partitioner.availability.timeout.ms partitioner.class partitioner.ignore.keys partitioner.rack.aware
		session.timeout.ms share.acknowledgement.mode share.acquire.mode transaction.timeout.ms
		transaction.two.phase.commit.enable transactional.id value.deserializer value.serializer`)
	// java: which code of the Java platform does what Go's standard library does.
	java = strings.Fields(`
		security.providers ssl.keymanager.algorithm ssl.provider ssl.secure.random.implementation
		ssl.trustmanager.algorithm`)
)

// loginTiming are the prefixes of keys about when to log in or fetch a token
// again, and of keys that only brokers use.
var (
	loginTiming = []string{"sasl.login.refresh.", "sasl.login.retry.", "sasl.login.connect.timeout.ms", "sasl.login.read.timeout.ms"}
	brokerOnly  = []string{
		"sasl.oauthbearer.jwks.", "sasl.oauthbearer.expected.", "sasl.oauthbearer.clock.", "sasl.oauthbearer.allow.unverified.",
		"sasl.oauthbearer.jwt.validator.class", "sasl.oauthbearer.sub.claim.name", "sasl.oauthbearer.scope.claim.name",
	}
)

// concerns reports whether a key is one whose value is used, so that a
// reference in it must be resolved. Those of a producer's serializer need not.
func concerns(key string) bool {
	return isSecurity(key) && !slices.Contains(java, key) ||
		key == "bootstrap.servers" || key == "client.id" || key == "request.timeout.ms"
}

// byteOrderMark is what UTF-8's is in ISO 8859-1, by which Java reads.
const byteOrderMark = "\u00ef\u00bb\u00bf"

// isSecurity reports whether a key belongs to authentication or encryption, or
// was meant to: Java's keys are case-sensitive, those who write them less so.
func isSecurity(key string) bool {
	key = strings.ToLower(strings.TrimPrefix(key, byteOrderMark))
	for _, prefix := range []string{"ssl.", "sasl.", "security."} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return looksLikeJAAS(key)
}

// unused says why a key has no effect.
func unused(key string, cfg Config) string {
	has := func(prefixes []string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
	}
	switch {
	case strings.HasPrefix(key, byteOrderMark):
		return "follows a byte order mark, which Java takes for a part of the key; save the file without"
	case slices.Contains(java, key):
		return "chooses code of the Java platform; Go's own is used"
	case strings.HasPrefix(key, "ssl.") && !cfg.Protocol.tls():
		return "security.protocol is " + string(cfg.Protocol) + ", which has no TLS"
	case strings.HasPrefix(key, "sasl.") && !cfg.Protocol.sasl():
		return "security.protocol is " + string(cfg.Protocol) + ", which has no SASL"
	case strings.HasPrefix(key, "sasl.kerberos."):
		return "is for Kerberos"
	case has(loginTiming):
		return "tokens are fetched when a connection needs one, within the timeout for connecting"
	case has(brokerOnly):
		return "is for checking tokens, which the broker does"
	case key == "ssl.truststore.password" || key == "ssl.truststore.type":
		return "there is no ssl.truststore.location or ssl.truststore.certificates"
	case key == "ssl.keystore.password" || key == "ssl.keystore.type" || key == "ssl.key.password":
		return "there is no ssl.keystore.location or ssl.keystore.key"
	case strings.HasPrefix(key, "sasl.oauthbearer.") && cfg.Mechanism != OAuthBearer:
		return "sasl.mechanism is not OAUTHBEARER"
	case slices.Contains(timing, key):
		return "connections are timed by this program's own limits"
	case key == "client.dns.lookup":
		return "all addresses of a name are tried (use_all_dns_ips)"
	case slices.Contains(observing, key):
		return "is for metrics of a Java client"
	case slices.Contains(records, key):
		return "is for producing or consuming records"
	case key == "bootstrap.controllers" || key == "metadata.cluster.check.enable":
		return "is not supported; brokers are used"
	case key == "config.providers" || strings.HasPrefix(key, "config.providers."):
		return "config providers are not run; references are refused or resolved by the caller"
	case looksLikeJAAS(key):
		return "looks like a part of sasl.jaas.config whose line before does not end in a backslash"
	}
	text := "is not a key that Kafka's clients know"
	if near := nearest.Names(key, connecting, 1); len(near) > 0 {
		text += "; did you mean " + near[0] + "?"
	}
	return text
}

// connecting are the keys that are honoured, for who mistypes one.
var connecting = strings.Fields(`
	bootstrap.servers client.id request.timeout.ms sasl.jaas.config sasl.mechanism sasl.login.class
	sasl.client.callback.handler.class sasl.login.callback.handler.class sasl.oauthbearer.token.endpoint.url
	sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.credentials.client.secret
	sasl.oauthbearer.scope sasl.oauthbearer.header.urlencode sasl.oauthbearer.jwt.retriever.class security.protocol
	ssl.cipher.suites ssl.enabled.protocols ssl.endpoint.identification.algorithm ssl.key.password
	ssl.keystore.certificate.chain ssl.keystore.key ssl.keystore.location ssl.keystore.password ssl.keystore.type
	ssl.protocol ssl.truststore.certificates ssl.truststore.location ssl.truststore.password ssl.truststore.type`)

// looksLikeJAAS knows the words that begin a line where someone forgot the
// backslash that continues sasl.jaas.config.
func looksLikeJAAS(key string) bool {
	return slices.Contains([]string{"username", "password", "required", "requisite", "clientId", "clientSecret", "scope", "tokenauth"}, key) ||
		strings.HasPrefix(key, "org.apache.kafka.common.security.")
}

var plainKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$`)

// shownKey gives a key for output. With a backslash missing or a quote out of
// place, a piece of a password can stand where a key should: what is neither
// known nor dotted words is not shown.
func shownKey(key string) string {
	if len(key) <= 100 && (plainKey.MatchString(key) || looksLikeJAAS(key) || slices.Contains([]string{"acks", "retries"}, key)) {
		return key
	}
	return "(a key that is not shown)"
}
