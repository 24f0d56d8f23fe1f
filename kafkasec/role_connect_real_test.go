package kafkasec

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/holdfast-sec/holdfast/internal/poll"
	java "github.com/holdfast-sec/holdfast/internal/properties"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// Least privilege of Kafka Connect, with a real worker and real connectors on a
// real broker: with the bindings of a role they work, and without any one of
// them the client that Connect made says that it is refused, in an answer, in
// the status of a task or in the log.
//
// The worker is one principal, w, and the clients of its connectors another, p,
// so that each role stands alone.
func TestReal_RolesAreWhatConnectNeeds(t *testing.T) {
	c := real.Kafka(t)
	newSite(t, conform.Real(c)).awaitCoordinators()
	for name, exactlyOnce := range map[string]bool{"at-least-once": false, "exactly-once": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait most of the time
			newConnectSite(t, c, exactlyOnce).proveAll()
		})
	}
}

// connectSite is a worker on a real broker and the roles that it is run with.
type connectSite struct {
	*site
	cluster     *real.Cluster
	exactlyOnce bool
	adm         *kadm.Client
	worker      *real.Connect
	offsets     string // offsets.storage.topic of the source, or ""
	files       int    // so many were used up
}

func newConnectSite(t *testing.T, c *real.Cluster, exactlyOnce bool) *connectSite {
	s := &connectSite{site: newSite(t, conform.Real(c)), cluster: c, exactlyOnce: exactlyOnce}
	s.adm = kadm.NewClient(s.Admin(t, kgo.MetadataMinAge(10*time.Millisecond)))
	for _, user := range []string{"w", "p"} {
		s.User(t, s.prefix+user) // who must exist
	}
	s.apply(s.spec(`
scope: {topic_prefixes: ["~"]}
topics:
  - {name: "~c-configs", partitions: 1, configs: {cleanup.policy: compact}}
  - {name: "~c-offsets", partitions: 1, configs: {cleanup.policy: compact}}
  - {name: "~c-status", partitions: 1, configs: {cleanup.policy: compact}}
  - {name: "~offsets", partitions: 1, configs: {cleanup.policy: compact}}
  - {name: "~t", partitions: 1}
  - {name: "~dlq", partitions: 1}
`))
	return s
}

// workerRole is that of the worker w.
func (s *connectSite) workerRole() Spec {
	return s.spec(fmt.Sprintf(`
scope: {principals: ["User:~w"]}
roles: [{principal: "User:~w", role: connect-worker, group: "~c", config_topic: "~c-configs", offset_topic: "~c-offsets", status_topic: "~c-status", exactly_once: %t}]
`, s.exactlyOnce))
}

// connectorRole is one of p, whose clients are those of the connectors.
func (s *connectSite) connectorRole(role string) Spec {
	return s.spec(`
scope: {principals: ["User:~p"]}
roles: [{principal: "User:~p", role: connector, ` + role + `}]
`)
}

func (s *connectSite) proveAll() {
	support := "disabled"
	if s.exactlyOnce {
		support = "enabled"
	}
	s.apply(s.workerRole())
	s.worker = real.NewConnect(s.T, real.ConnectOptions{
		Cluster: s.cluster, Login: s.login("w"), Name: s.prefix + "c",
		Properties: map[string]string{"exactly.once.source.support": support, "task.shutdown.graceful.timeout.ms": "500"},
	})
	if s.exactlyOnce {
		source := `connector: "~source", output_topics: ["~t"], exactly_once: true, group: "~c", offset_topic: `
		s.prove("source", s.connectorRole(source+`"~c-offsets"`), s.sources)
		// With a topic of its own: the offsets are copied to the worker's, by the
		// worker.
		s.offsets = s.prefix + "offsets"
		s.apply(s.connectorRole(source + `"~offsets"`))
	} else {
		source := s.connectorRole(`connector: "~source", output_topics: ["~t"]`)
		s.prove("source", source, s.sources)
		s.prove("sink", s.connectorRole(`connector: "~sink", input_topics: ["~t"], dead_letter_topic: "~dlq"`), s.sinks)
		s.apply(source)
	}
	s.prove("worker", s.workerRole(), s.sources)
}

// prove shows that the role is enough for the work and no binding too many.
func (s *connectSite) prove(name string, role Spec, work func() error) {
	s.apply(role)
	s.works(name, work)
	for _, b := range role.Roles[0].expand() {
		without := aclOf(b)
		without.State = Absent
		s.apply(Spec{Scope: role.Scope, ACLs: []ACL{without}})
		err := work()
		require.ErrorContains(s, err, "AuthorizationException", "%s without %s", name, b)
		if b.Resource.Type == ResourceTransactionalID { // which Java does not name
			require.ErrorContains(s, err, "TransactionalIdAuthorizationException", "%s without %s", name, b)
		} else {
			require.ErrorContains(s, err, b.Resource.Name, "%s without %s", name, b)
		}
		if b.Resource == literal(ResourceGroup, s.prefix+"c") {
			s.worker.Kill() // it gives up and ends by itself, but takes minutes
		}
		s.apply(role)
		s.works(fmt.Sprintf("%s again after %s", name, b), work)
	}
}

// works tries until the work is done, for what was refused before may still be
// ending.
func (s *connectSite) works(when string, work func() error) {
	ctx, cancel := context.WithTimeout(s.Context(), 2*time.Minute)
	defer cancel()
	if !s.worker.Running() {
		s.worker.Start(s.T)
	}
	require.NoError(s, poll.Until(ctx, poll.Backoff{}, func(context.Context) (bool, error) {
		if err := work(); err != nil {
			return false, poll.NotYet{Reason: err}
		}
		return true, nil
	}), when)
}

func (s *connectSite) login(user string) real.Login {
	return real.Login{Protocol: real.SASLPlaintext, Mechanism: real.SCRAM256, User: s.prefix + user}
}

// overrides make every client of a connector one of p.
func (s *connectSite) overrides() map[string]string {
	file, err := java.Parse([]byte(s.cluster.ClientProperties(s.T, s.login("p"))))
	require.NoError(s, err)
	login, ok := file.Get("sasl.jaas.config")
	require.True(s, ok)
	config := map[string]string{}
	for _, client := range []string{"producer", "consumer", "admin"} {
		config[client+".override.sasl.jaas.config"] = login
	}
	return config
}

// sources gives a source a new file with one line, which makes the worker write
// and read its topics, and returns when the line is in the topic and its offset
// known, or with what was refused meanwhile.
func (s *connectSite) sources() error {
	since := len(s.worker.Log())
	before := s.end("t")
	s.files++
	file := filepath.Join(s.worker.Dir(), fmt.Sprintf("in%d", s.files))
	require.NoError(s, os.WriteFile(file, []byte("line\n"), 0o600))
	config := s.overrides()
	config["connector.class"] = "FileStreamSource"
	config["tasks.max"] = "1"
	config["file"] = file
	config["topic"] = s.prefix + "t"
	if s.offsets != "" {
		config["offsets.storage.topic"] = s.offsets
	}
	if err := s.ask(http.MethodPut, "/connectors/"+s.prefix+"source/config", config, nil); err != nil {
		return fmt.Errorf("%w\n%s", err, s.refusals(since))
	}
	return s.await("source", since, func() error {
		if end := s.end("t"); end <= before {
			return fmt.Errorf("the topic ends at %d", end)
		}
		var offsets json.RawMessage
		if err := s.ask(http.MethodGet, "/connectors/"+s.prefix+"source/offsets", nil, &offsets); err != nil {
			return err
		}
		if !bytes.Contains(offsets, []byte(file)) {
			return fmt.Errorf("offsets %s, want one of %s", offsets, file)
		}
		return nil
	})
}

// sinks gives a sink a new file, and a record that it can convert and one that it
// cannot, and returns when the one is in the file and the other in the dead
// letter queue, or with what was refused meanwhile.
func (s *connectSite) sinks() error {
	since := len(s.worker.Log())
	before := s.end("dlq")
	s.files++
	file := filepath.Join(s.worker.Dir(), fmt.Sprintf("out%d", s.files))
	config := s.overrides()
	config["connector.class"] = "FileStreamSink"
	config["tasks.max"] = "1"
	config["consumer.override.session.timeout.ms"] = "6000" // of one that may not leave
	config["file"] = file
	config["topics"] = s.prefix + "t"
	config["value.converter"] = "org.apache.kafka.connect.json.JsonConverter"
	config["value.converter.schemas.enable"] = "false"
	config["errors.tolerance"] = "all"
	config["errors.deadletterqueue.topic.name"] = s.prefix + "dlq"
	config["errors.deadletterqueue.topic.replication.factor"] = "1"
	if err := s.ask(http.MethodPut, "/connectors/"+s.prefix+"sink/config", config, nil); err != nil {
		return fmt.Errorf("%w\n%s", err, s.refusals(since))
	}
	require.NoError(s, s.produces(s.Admin(s.T), "t")) // which is no JSON
	good := fmt.Sprintf("%q", file)
	require.NoError(s, s.Admin(s.T).ProduceSync(s.Context(), &kgo.Record{Topic: s.prefix + "t", Value: []byte(good)}).FirstErr())
	return s.await("sink", since, func() error {
		if text, err := os.ReadFile(file); !bytes.Contains(text, []byte(file)) {
			return fmt.Errorf("%s has %q: %v", file, text, err)
		}
		if end := s.end("dlq"); end <= before {
			return fmt.Errorf("the dead letter queue ends at %d", end)
		}
		return nil
	})
}

func (s *connectSite) end(topic string) int64 {
	offsets, err := s.adm.ListEndOffsets(s.Context(), s.prefix+topic)
	require.NoError(s, err)
	o, _ := offsets.Lookup(s.prefix+topic, 0)
	return o.Offset
}

// await polls until done is content or a client was refused.
func (s *connectSite) await(connector string, since int, done func() error) error {
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	defer cancel()
	return poll.Until(ctx, poll.Backoff{Initial: 50 * time.Millisecond, Factor: 1}, func(context.Context) (bool, error) {
		if refused := s.refusals(since); refused != "" {
			return false, fmt.Errorf("log: %s", refused)
		}
		if trace := s.failure(connector); trace != "" {
			return false, fmt.Errorf("task: %s", trace)
		}
		err := done()
		if err == nil {
			return true, nil
		}
		return false, poll.NotYet{Reason: err}
	})
}

// failure is the trace of a task that failed.
func (s *connectSite) failure(connector string) string {
	var status struct {
		Tasks []struct{ State, Trace string }
	}
	if err := s.ask(http.MethodGet, "/connectors/"+s.prefix+connector+"/status", nil, &status); err != nil {
		return ""
	}
	for _, task := range status.Tasks {
		if task.State == "FAILED" {
			return task.Trace
		}
	}
	return ""
}

// refusals are the lines of the log that name an authorization error.
func (s *connectSite) refusals(since int) string {
	lines := slices.Collect(strings.Lines(s.worker.Log()[since:]))
	lines = slices.DeleteFunc(lines, func(line string) bool { return !strings.Contains(line, "AuthorizationException") })
	return strings.Join(slices.Compact(lines), "")
}

// ask asks the worker's REST interface, and returns errors that it answers.
func (s *connectSite) ask(method, path string, body, answer any) error {
	text, err := json.Marshal(body)
	require.NoError(s, err)
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.worker.URL()+path, bytes.NewReader(text))
	require.NoError(s, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
