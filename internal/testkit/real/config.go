package real

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-sec/holdfast/internal/properties"
)

// serverProperties is a node's complete configuration. It holds passwords.
func (c *Cluster) serverProperties(n *Node) []byte {
	var entries []properties.Entry
	set := func(key string, value any) {
		entries = append(entries, properties.Entry{Key: key, Value: fmt.Sprint(value)})
	}

	if c.opts.zookeeper() {
		set("broker.id", n.ID)
		set("zookeeper.connect", loopback(c.zookeeper.port))
		// A killed broker's registration stays until its session ends, and so
		// long the broker cannot come back.
		set("zookeeper.session.timeout.ms", 3000)
		set("authorizer.class.name", "kafka.security.authorizer.AclAuthorizer")
	} else {
		set("process.roles", "broker,controller")
		set("node.id", n.ID)
		set("controller.quorum.voters", c.voters())
		set("controller.listener.names", controllerListener)
		set("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
		// Likewise: a killed broker that comes back earlier is a duplicate
		// registration. The default is 9 s; 3 s survive a busy machine.
		set("broker.session.timeout.ms", 3000)
		set("broker.heartbeat.interval.ms", 500)
	}

	// The controller listener has SASL so that traffic between nodes is
	// User:admin's. With PLAINTEXT it would be User:ANONYMOUS's, who would then
	// have to be a super user, also for clients of the PLAINTEXT listener. PLAIN
	// and not SCRAM: SCRAM credentials live in the metadata log, which needs a
	// leader first.
	var listeners, protocolMap []string
	for _, l := range n.listeners() {
		listeners = append(listeners, l.name+"://"+loopback(l.port))
		protocolMap = append(protocolMap, l.name+":"+string(l.protocol))
	}
	set("listeners", strings.Join(listeners, ","))
	set("advertised.listeners", strings.Join(listeners[:len(protocols)], ","))
	set("listener.security.protocol.map", strings.Join(protocolMap, ","))
	set("inter.broker.listener.name", string(SASLPlaintext))
	set("sasl.mechanism.inter.broker.protocol", Plain)
	set("sasl.mechanism.controller.protocol", Plain)
	for _, l := range n.listeners() {
		if l.protocol.sasl() {
			c.setSASL(set, l)
		}
	}

	set("ssl.keystore.type", "PEM")
	set("ssl.keystore.location", n.keystore)
	set("ssl.truststore.type", "PEM")
	set("ssl.truststore.location", c.truststore())
	set("listener.name.ssl.ssl.client.auth", c.opts.ClientAuth)

	superUsers := append([]string{"User:" + Admin, "User:CN=" + Admin}, c.opts.SuperUsers...)
	set("super.users", strings.Join(superUsers, ";"))
	set("allow.everyone.if.no.acl.found", c.opts.AllowEveryone)

	set("log.dirs", filepath.Join(n.dir, "data"))
	replicas, inSync := c.opts.Nodes, (c.opts.Nodes+1)/2
	set("default.replication.factor", replicas)
	set("offsets.topic.replication.factor", replicas)
	set("transaction.state.log.replication.factor", replicas)
	set("transaction.state.log.min.isr", inSync)
	if !c.opts.zookeeper() {
		set("share.coordinator.state.topic.replication.factor", replicas)
		set("share.coordinator.state.topic.min.isr", inSync)
		set("share.coordinator.state.topic.num.partitions", 3)
	}

	// What a test wants and a small machine can carry.
	set("auto.create.topics.enable", false) // a test that meant another topic shall see it
	set("replica.lag.time.max.ms", 10000)   // how long a dead follower may stay in sync
	set("group.initial.rebalance.delay.ms", 0)
	set("offsets.topic.num.partitions", 3)
	set("transaction.state.log.num.partitions", 3)
	set("num.network.threads", 1) // per listener
	set("num.io.threads", 4)
	set("log.cleaner.dedupe.buffer.size", 4<<20) // 128 MB by default

	for _, key := range slices.Sorted(maps.Keys(c.opts.Properties)) {
		set(key, c.opts.Properties[key])
	}
	return properties.Format(entries)
}

// setSASL writes mechanisms and JAAS configuration of one listener. It has the
// passwords of PLAIN users; SCRAM ones are created through the admin API.
func (c *Cluster) setSASL(set func(string, any), l listener) {
	prefix := "listener.name." + strings.ToLower(l.name) + "."
	mechanisms := c.opts.mechanisms()
	if l.name == controllerListener {
		mechanisms = []Mechanism{Plain}
	}
	names := make([]string, len(mechanisms))
	for i, m := range mechanisms {
		names[i] = string(m)
	}
	set(prefix+"sasl.enabled.mechanisms", strings.Join(names, ","))
	for _, m := range mechanisms {
		key := prefix + strings.ToLower(string(m)) + "."
		switch m {
		case Plain:
			set(key+"sasl.jaas.config", c.plainJAAS())
		case SCRAM256, SCRAM512:
			set(key+"sasl.jaas.config", scramModule+" required;")
		case OAuthBearer:
			set(key+"sasl.jaas.config", oauthModule+" required;")
			set(key+"sasl.server.callback.handler.class", oauthPackage+"OAuthBearerValidatorCallbackHandler")
			set(prefix+"sasl.oauthbearer.jwks.endpoint.url", c.opts.OAuth.JWKSURL)
			set(prefix+"sasl.oauthbearer.expected.issuer", c.opts.OAuth.Issuer)
			set(prefix+"sasl.oauthbearer.expected.audience", c.opts.OAuth.Audience)
		}
	}
}

// plainJAAS logs this node in as Admin and knows every PLAIN user.
func (c *Cluster) plainJAAS() string {
	admin := c.users[Admin].Password
	s := plainModule + " required username=" + jaasQuote(Admin) + " password=" + jaasQuote(admin.Reveal())
	for _, name := range slices.Sorted(maps.Keys(c.users)) {
		if u := c.users[name]; u.has(Plain) {
			s += " " + jaasQuote("user_"+name) + "=" + jaasQuote(u.Password.Reveal())
		}
	}
	return s + ";"
}

func (c *Cluster) voters() string {
	var voters []string
	for _, n := range c.nodes {
		voters = append(voters, strconv.Itoa(n.ID)+"@"+loopback(n.controllerPort))
	}
	return strings.Join(voters, ",")
}

const (
	oauthPackage = "org.apache.kafka.common.security.oauthbearer."
	oauthModule  = oauthPackage + "OAuthBearerLoginModule"
	plainModule  = "org.apache.kafka.common.security.plain.PlainLoginModule"
	scramModule  = "org.apache.kafka.common.security.scram.ScramLoginModule"
)

// jaasQuote quotes s for Kafka's JaasConfig, which reads with
// java.io.StreamTokenizer: a quoted word ends at a line end, and a backslash
// escapes as in Java.
func jaasQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(s) + `"`
}

// log4jProperties configures Log4j 2 (4.x) or reload4j (3.9): warnings and
// worse to standard output, which is the node's log.
func (o Options) log4jProperties() (flag, text string) {
	if o.zookeeper() {
		return "-Dlog4j.configuration=file:", `log4j.rootLogger=WARN, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=%d %p %m (%c)%n
`
	}
	return "-Dlog4j2.configurationFile=", `rootLogger.level=warn
rootLogger.appenderRef.a.ref=C
appender.c.type=Console
appender.c.name=C
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=%d %p %m (%c)%n
`
}
