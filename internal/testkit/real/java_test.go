package real_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
	"github.com/holdfast-sec/holdfast/internal/testkit/tokenserver"
)

// TestClientProperties_WorkInJava hands the text to what kafka-topics runs.
func TestClientProperties_WorkInJava(t *testing.T) {
	real.Enabled(t)
	classPath := real.ClassPath(t, "kafka-4.3.1") // has the console classes
	clientSecret := secret("s3cret")
	tokens := tokenserver.Start(t, tokenserver.Options{Clients: map[string]holdfast.Secret{"alice": clientSecret}})
	c := real.NewKafka(t, real.Options{
		SuperUsers: []string{"User:alice"}, // also by token: the subject is the client id
		OAuth:      &real.OAuth{TokenURL: tokens.TokenURL(), JWKSURL: tokens.JWKSURL(), Issuer: tokens.Issuer, Audience: tokens.Audience},
	})
	topic := c.Prefix(t) + "t"
	allowWrite(t, c, topic, "User:bob")

	for _, login := range []real.Login{
		{Protocol: real.SSL, User: real.Admin},
		{Protocol: real.SASLPlaintext, User: real.Admin},
		{Protocol: real.SASLSSL, Mechanism: real.SCRAM512, User: real.Admin},
		{Protocol: real.SASLSSL, Mechanism: real.OAuthBearer, User: "alice", Password: clientSecret},
	} {
		t.Run(string(login.Protocol)+" "+string(login.Mechanism), func(t *testing.T) {
			cmd := exec.CommandContext(watchdog(t), "java", "-XX:TieredStopAtLevel=1", "-cp", classPath,
				"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls="+tokens.TokenURL(),
				"org.apache.kafka.tools.TopicCommand", "--list",
				"--bootstrap-server", strings.Join(c.Bootstrap(login.Protocol), ","),
				"--command-config", c.ClientPropertiesFile(t, login))
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Contains(t, string(out), topic+"\n")
		})
	}
}
