package kafkasec_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// From the properties file to the report, with a refused login, a failing item
// and every log line: the password shows nowhere.
func TestSecrets_ShowNowhere(t *testing.T) {
	const canary = "c4n4ry-p4ssw0rd"
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableACLs(), kfake.EnableSASL(), kfake.Superuser("PLAIN", "admin", canary))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	ctx := context.Background()
	var out bytes.Buffer
	say := func(values ...any) {
		for _, v := range values {
			fmt.Fprintf(&out, "%v\n%+v\n%#v\n", v, v, v)
			data, err := json.Marshal(v)
			fmt.Fprintln(&out, string(data), err)
		}
	}

	properties := func(password string) dial.Config {
		cfg, err := dial.ParseProperties(ctx, "client.properties", []byte(`security.protocol=SASL_PLAINTEXT
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="`+password+`";
`), dial.ParseOptions{})
		require.NoError(t, err)
		cfg.Brokers = c.ListenAddrs()
		say(cfg)
		return cfg
	}
	_, err = dial.Connect(ctx, properties("wrong-"+canary))
	require.Error(t, err)
	say(err)

	client, err := dial.Connect(ctx, properties(canary))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	r := &kafkasec.Reconciler{
		Client:  client,
		Logger:  slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OnEvent: func(e holdfast.Event) { say(e) },
		Resolve: func(_ context.Context, ref string) (holdfast.Secret, error) {
			return holdfast.NewSecret(ref + canary), nil
		},
	}
	spec, err := kafkasec.ParseSpec("beats.yaml", []byte(beats))
	require.NoError(t, err)
	spec.Topics[0].ReplicationFactor = 1
	spec.Scope.Principals = append(spec.Scope.Principals, "User:ok", "User:refused")
	for _, name := range []string{"ok", "refused"} {
		spec.Users = append(spec.Users, kafkasec.User{Name: name, Mechanisms: []kafkasec.ScramMechanism{kafkasec.ScramSHA256}, Password: "env:" + name})
	}
	state, err := r.Observe(ctx, spec)
	require.NoError(t, err)
	plan, err := spec.Plan(state)
	require.NoError(t, err)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.PolicyViolation})
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.AlterUserSCRAMCredentials}, Resource: "refused", Err: kerr.UnacceptableCredential})
	var salted [][]byte // is as good as the password to whoever wants to log in
	c.ControlKey(kmsg.AlterUserSCRAMCredentials.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		for _, u := range req.(*kmsg.AlterUserSCRAMCredentialsRequest).Upsertions {
			salted = append(salted, u.Salt, u.SaltedPassword)
		}
		return nil, nil, false
	})
	report, err := r.Apply(ctx, plan)
	require.ErrorIs(t, err, kerr.PolicyViolation)
	require.ErrorIs(t, err, kerr.UnacceptableCredential)
	say(r, spec, state, plan, report, err)

	// Another password, with a limit; then both are pruned, of which one fails; and
	// so is the login of this client, which is refused. All of it is exported.
	saved := func(spec kafkasec.Spec) kafkasec.Plan {
		state, err := r.Observe(ctx, spec)
		require.NoError(t, err)
		plan, err := spec.Plan(state)
		require.NoError(t, err)
		data, err := json.Marshal(plan)
		require.NoError(t, err)
		plan, err = kafkasec.ParsePlan("plan.json", data)
		require.NoError(t, err)
		say(state, plan, plan.String(), string(data))
		return plan
	}
	own := kafkasec.Spec{Scope: kafkasec.Scope{Principals: []string{"User:ok", "User:admin"}},
		Users: []kafkasec.User{
			{Name: "ok", Mechanisms: []kafkasec.ScramMechanism{kafkasec.ScramSHA256}, Iterations: 5000, Password: "env:rotated"},
			{Name: "admin", Mechanisms: []kafkasec.ScramMechanism{kafkasec.ScramSHA256}, Password: "env:own"}},
		Quotas: []kafkasec.Quota{{User: "ok", ProducerByteRate: 1, ConsumerByteRate: 2}}}
	update := saved(own)
	report, err = r.Apply(ctx, update)
	require.NoError(t, err)
	say(report)
	exported, left, err := r.Export(ctx, kafkasec.ExportOptions{Everything: true})
	require.NoError(t, err)
	text, err := exported.YAML()
	require.NoError(t, err)
	say(exported, left, string(text))
	prune := kafkasec.Prune{Users: true, Quotas: true, ACLs: true, MaxPercent: 100}
	state, err = r.Observe(ctx, kafkasec.Spec{Scope: own.Scope, Prune: prune})
	require.NoError(t, err)
	_, err = kafkasec.Spec{Scope: own.Scope, Prune: prune}.Plan(state)
	require.ErrorContains(t, err, "that this client logs in as")
	say(state, err)
	pruned := saved(kafkasec.Spec{Scope: kafkasec.Scope{Principals: []string{"User:ok"}}, Prune: prune})
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.AlterUserSCRAMCredentials}, Resource: "ok", Err: kerr.UnacceptableCredential})
	report, err = r.Apply(ctx, pruned)
	require.ErrorIs(t, err, kerr.UnacceptableCredential)
	say(report, report.String(), err)
	own.Users[0].Iterations = 6000
	late := saved(own)
	own.Users[0].Iterations = 7000
	_, err = r.Apply(ctx, saved(own))
	require.NoError(t, err)
	report, err = r.Apply(ctx, late)
	var stale *kafkasec.StaleError
	require.ErrorAs(t, err, &stale)
	say(report, err, stale)

	require.Len(t, salted, 10)
	for _, s := range salted {
		for _, text := range []string{string(s), hex.EncodeToString(s), base64.StdEncoding.EncodeToString(s), fmt.Sprint(s)} {
			require.NotContains(t, out.String(), text)
		}
	}

	require.Greater(t, out.Len(), 1000)
	require.NotContains(t, out.String(), canary)
}
