package kafkasec

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

// State is what [Reconciler.Observe] saw: as much of the live cluster as one
// spec needs. It is plain data, so a test or a tool can also build one by hand
// and plan against it.
type State struct {
	// Cluster is the cluster id; brokers older than 0.10.1 have none.
	Cluster string `json:"cluster"`
	// Brokers is the number of live brokers, the most a replication factor can be.
	Brokers int `json:"brokers"`
	// Topics holds the declared topics that exist and, where the spec prunes
	// topics, all others in scope. A declared topic that is in neither Topics nor
	// Unread does not exist.
	Topics map[string]TopicState `json:"topics"`
	// OtherTopics are names that exist and are not declared, as far as they
	// could be seen. Read only where a topic is missing, to find names that
	// would collide with its own.
	OtherTopics []string `json:"other_topics,omitempty"`
	// ACLs are all bindings of the cluster, sorted.
	ACLs []Binding `json:"acls"`
	// Users holds the iterations of the declared SCRAM users, by mechanism, and
	// where the spec prunes users, of all others in scope. One that is in neither
	// Users nor Unread does not exist.
	Users map[string]map[ScramMechanism]int32 `json:"users,omitempty"`
	// Logins holds how logins with the declared passwords went, by user and
	// mechanism. Read only with [Reconciler.Logins].
	Logins map[string]map[ScramMechanism]LoginState `json:"logins,omitempty"`
	// Quotas holds the declared quotas that exist and, where the spec prunes
	// quotas, all others in scope, sorted.
	Quotas []QuotaState `json:"quotas,omitempty"`
	// Self is whom the reading client is. Read only where the spec prunes, or
	// declares users.
	Self Self `json:"self,omitzero"`
	// BrokerMechanisms are those SCRAM mechanisms with which brokers log in to
	// each other. Read only where credentials would be pruned.
	BrokerMechanisms []ScramMechanism `json:"broker_mechanisms,omitempty"`
	// MetadataVersion is the level of metadata.version, 0 where the cluster has
	// none (ZooKeeper) or nobody asked. Read only where a host is a CIDR block.
	MetadataVersion int16 `json:"metadata_version,omitempty"`
	// Unread is what could not be read. It is not absent: nobody knows.
	Unread []Unread `json:"unread,omitempty"`
}

// TopicState is a live topic.
type TopicState struct {
	Partitions int32 `json:"partitions"`
	// ReplicationFactor is the smallest number of replicas of any partition.
	ReplicationFactor int16 `json:"replication_factor"`
	// Internal is set for the brokers' own topics.
	Internal bool `json:"internal,omitempty"`
	// Configs holds those declared keys that are set on the topic itself, or all
	// such keys where the spec prunes configs; what comes from the broker's
	// configuration or Kafka's defaults is not in it.
	Configs map[string]string `json:"configs,omitempty"`
	// Records is read only of topics that the spec would delete.
	Records Records `json:"records,omitempty"`
}

// Unread is one thing that could not be read, and why.
type Unread struct {
	// Kind is the kind of change that cannot be decided: KindTopic,
	// KindTopicConfig, KindTopicRecords, KindACL, KindScramUser, KindScramPassword,
	// KindBrokerConfig or KindQuota.
	Kind string
	// Name is the topic, the binding or the user, or "*" where nothing of the kind
	// could be read.
	Name string
	// Err is why, mostly a [*BrokerError]; of a plan that was read from JSON only
	// its text is left.
	Err error
}

type unreadJSON struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Error string `json:"error"`
}

func (u Unread) compare(o Unread) int {
	return cmp.Or(strings.Compare(u.Kind, o.Kind), strings.Compare(u.Name, o.Name))
}

// MarshalJSON writes the error as its text.
func (u Unread) MarshalJSON() ([]byte, error) {
	j := unreadJSON{Kind: u.Kind, Name: u.Name}
	if u.Err != nil {
		j.Error = u.Err.Error()
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote; the error comes back as text only.
func (u *Unread) UnmarshalJSON(data []byte) error {
	var j unreadJSON
	if err := strictJSON(data, &j); err != nil {
		return err
	}
	*u = Unread{Kind: j.Kind, Name: j.Name}
	if j.Error != "" {
		u.Err = textError(j.Error)
	}
	return nil
}

// textError is an error that was read back from JSON.
type textError string

func (e textError) Error() string { return string(e) }

// unreadIndex is State.Unread by kind and name. One that may see no topic at all
// has as many entries as topics, and each is asked for by each of them.
type unreadIndex map[unreadKey]Unread

type unreadKey struct{ kind, name string }

func (s State) unreadIndex() unreadIndex {
	index := make(unreadIndex, len(s.Unread))
	for _, u := range s.Unread {
		k := unreadKey{u.Kind, u.Name}
		if _, ok := index[k]; !ok {
			index[k] = u
		}
	}
	return index
}

// find returns why something could not be read: by itself, or as all of its kind.
func (x unreadIndex) find(kind, name string) (Unread, bool) {
	u, ok := x[unreadKey{kind, name}]
	if !ok {
		u, ok = x[unreadKey{kind, "*"}]
	}
	return u, ok
}

// hash identifies the part of the state that a plan for the scope was made
// from, so that foreign changes do not make two equal plans differ. Every field
// is written with its length, so that no two states read alike.
func (s State) hash(owned scopeIndex) string {
	h := sha256.New()
	var buf []byte
	write := func(fields ...string) {
		buf = buf[:0]
		for _, f := range fields {
			buf = binary.AppendUvarint(buf, uint64(len(f)))
			buf = append(buf, f...)
		}
		h.Write(buf)
	}
	write(s.Cluster, strconv.Itoa(s.Brokers), strconv.Itoa(int(s.MetadataVersion)))
	for _, name := range slices.Sorted(maps.Keys(s.Topics)) {
		t := s.Topics[name]
		write("topic", name, strconv.Itoa(int(t.Partitions)), strconv.Itoa(int(t.ReplicationFactor)), strconv.FormatBool(t.Internal), string(t.Records))
		for _, k := range slices.Sorted(maps.Keys(t.Configs)) {
			write("config", k, t.Configs[k])
		}
	}
	bindings := make([]Binding, 0, len(s.ACLs))
	for _, b := range s.ACLs {
		if owned.ownsBinding(b) {
			bindings = append(bindings, b)
		}
	}
	if !slices.IsSortedFunc(bindings, Binding.Compare) {
		slices.SortFunc(bindings, Binding.Compare)
	}
	for _, b := range bindings {
		write("acl", b.Principal, b.Host, string(b.Operation), string(b.Permission),
			string(b.Resource.Type), b.Resource.Name, string(b.Resource.Pattern))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Users)) {
		for _, m := range slices.Sorted(maps.Keys(s.Users[name])) {
			write("scram-user", name, string(m), strconv.Itoa(int(s.Users[name][m])))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Logins)) {
		for _, m := range slices.Sorted(maps.Keys(s.Logins[name])) {
			write("login", name, string(m), string(s.Logins[name][m]))
		}
	}
	for _, q := range slices.SortedFunc(slices.Values(s.Quotas), compareQuotas) {
		write("quota", q.String())
		for _, k := range sortedKeys(q.Limits) {
			write("limit", k, number(q.Limits[k]))
		}
	}
	for _, m := range s.BrokerMechanisms {
		write("broker-mechanism", string(m))
	}
	unread := make([]string, len(s.Unread))
	for i, u := range s.Unread {
		unread[i] = u.Kind + " " + u.Name
	}
	slices.Sort(unread)
	write(append([]string{"unread"}, unread...)...)
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// problems that only the live state shows.
func (v *validator) checkAgainst(s State, unread unreadIndex, spec Spec) {
	collide := map[string]string{}
	for _, n := range s.OtherTopics {
		collide[kafkarules.CollisionKey(n)] = n
	}
	for i, t := range spec.Topics {
		at := index("topics", i)
		live, exists := s.Topics[t.Name]
		if exists && live.Internal {
			v.add(at+".name", "%q is one of the brokers' internal topics: those are protected", t.Name)
		}
		if t.State == Absent {
			continue
		}
		if exists && t.Partitions != 0 && t.Partitions < live.Partitions {
			v.add(at+".partitions", "%d: the topic has %d, and partitions never shrink: allowed is %d or more", t.Partitions, live.Partitions, live.Partitions)
		}
		if _, ok := unread.find(KindTopic, t.Name); exists || ok {
			continue
		}
		if s.Brokers > 0 && int(t.ReplicationFactor) > s.Brokers {
			v.add(at+".replication_factor", "%d: more than the live brokers of the cluster; allowed is at most %d", t.ReplicationFactor, s.Brokers)
		}
		if other, ok := collide[kafkarules.CollisionKey(t.Name)]; ok {
			v.add(at+".name", "%q collides with the existing topic %q: names that differ only in . and _ share their metrics, so Kafka refuses the second", t.Name, other)
		}
	}
	v.checkUsersAgainst(s, unread, spec.Users)
	block := func(path, host string) {
		if strings.Contains(host, "/") && s.MetadataVersion < cidrMetadataVersion {
			v.add(path+".host", "%q: CIDR hosts need Kafka 4.4 (metadata.version 4.4-IV1 or newer); on this cluster the binding would match nobody", host)
		}
	}
	for i, a := range spec.ACLs {
		if a.State != Absent {
			block(index("acls", i), a.Host)
		}
	}
	for i, r := range spec.Roles {
		block(index("roles", i), r.Host)
	}
}
