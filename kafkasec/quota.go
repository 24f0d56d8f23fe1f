package kafkasec

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Quota limits what clients may use, per broker. It is of a user, a client id,
// both, or an IP address; the default of one is what holds for all of its kind
// that have no quota of their own. Limits that are left out are left alone.
type Quota struct {
	// User is a principal's name, "alice" for User:alice, however it logged in.
	User        string `yaml:"user"`
	UserDefault bool   `yaml:"user_default"`
	ClientID    string `yaml:"client_id"`
	// ClientIDDefault is every client id, of the user where one is named.
	ClientIDDefault bool `yaml:"client_id_default"`
	// IP is an address (Kafka 2.8 or newer; brokers in ZooKeeper mode refuse those
	// of IPv6). It stands alone.
	IP        string `yaml:"ip"`
	IPDefault bool   `yaml:"ip_default"`

	// ProducerByteRate and ConsumerByteRate are bytes a second.
	ProducerByteRate int64 `yaml:"producer_byte_rate"`
	ConsumerByteRate int64 `yaml:"consumer_byte_rate"`
	// RequestPercentage is time of a network or request handler thread: 200 is
	// all of two threads.
	RequestPercentage float64 `yaml:"request_percentage"`
	// ControllerMutationRate is partitions created or deleted a second (Kafka 2.7
	// or newer).
	ControllerMutationRate float64 `yaml:"controller_mutation_rate"`
	// ConnectionCreationRate is new connections a second; of addresses only.
	ConnectionCreationRate int32 `yaml:"connection_creation_rate"`
	// AbsentLimits lifts single limits, by the names of the fields above, and
	// leaves the others: "consumer_byte_rate".
	AbsentLimits []string `yaml:"absent_limits"`
	// State: Absent lifts every limit that is set for exactly this.
	State DesiredState `yaml:"state"`
}

// Entity is whom the quota is for.
func (q Quota) Entity() QuotaEntity {
	return QuotaEntity{q.User, q.UserDefault, q.ClientID, q.ClientIDDefault, q.IP, q.IPDefault}
}

// limits are the declared ones, by Kafka's names.
func (q Quota) limits() map[string]float64 {
	m := map[string]float64{
		"producer_byte_rate":       float64(q.ProducerByteRate),
		"consumer_byte_rate":       float64(q.ConsumerByteRate),
		"request_percentage":       q.RequestPercentage,
		"controller_mutation_rate": q.ControllerMutationRate,
		connectionRate:             float64(q.ConnectionCreationRate),
	}
	for k, v := range m {
		if v == 0 {
			delete(m, k)
		}
	}
	return m
}

// maxByteRate is the last number up to which the protocol, which has floating
// point numbers here, can say every whole one.
const maxByteRate = 1 << 53

const connectionRate = "connection_creation_rate"

// QuotaEntity is whom a quota is for, with the fields of a Quota: a user, a client
// id, one of each, or an address, each by name or as the default. It is
// comparable, so it can be a map key.
type QuotaEntity struct {
	User            string `json:"user,omitempty"`
	UserDefault     bool   `json:"user_default,omitempty"`
	ClientID        string `json:"client_id,omitempty"`
	ClientIDDefault bool   `json:"client_id_default,omitempty"`
	IP              string `json:"ip,omitempty"`
	IPDefault       bool   `json:"ip_default,omitempty"`
}

// String names the entity: "user alice, client_id_default".
func (e QuotaEntity) String() string {
	var parts []string
	e.each(func(field, name string, isDefault bool) {
		if isDefault {
			parts = append(parts, field+"_default")
		} else {
			parts = append(parts, field+" "+word(name))
		}
	})
	return strings.Join(parts, ", ")
}

// each calls f for the parts that the entity has.
func (e QuotaEntity) each(f func(field, name string, isDefault bool)) {
	for _, p := range []struct {
		field, name string
		isDefault   bool
	}{{"user", e.User, e.UserDefault}, {"client_id", e.ClientID, e.ClientIDDefault}, {"ip", e.IP, e.IPDefault}} {
		if p.name != "" || p.isDefault {
			f(p.field, p.name, p.isDefault)
		}
	}
}

// wireQuotaTypes are Kafka's names of the parts.
var wireQuotaTypes = map[string]string{"user": "user", "client_id": "client-id", "ip": "ip"}

func (e QuotaEntity) wire() (parts []kmsg.AlterClientQuotasRequestEntryEntity) {
	e.each(func(field, name string, isDefault bool) {
		p := kmsg.NewAlterClientQuotasRequestEntryEntity()
		p.Type = wireQuotaTypes[field]
		if !isDefault {
			p.Name = &name
		}
		parts = append(parts, p)
	})
	return parts
}

// add sets a part from the wire; false for one that this package does not know.
func (e *QuotaEntity) add(typ string, name *string) bool {
	var to *string
	var toDefault *bool
	switch typ {
	case "user":
		to, toDefault = &e.User, &e.UserDefault
	case "client-id":
		to, toDefault = &e.ClientID, &e.ClientIDDefault
	case "ip":
		to, toDefault = &e.IP, &e.IPDefault
	default:
		return false
	}
	switch {
	case name == nil:
		*toDefault = true
	case *name == "":
		return false // would look as if there were no such part
	default:
		*to = *name
	}
	return true
}

// check refuses what is nobody, or what no broker takes.
func (e QuotaEntity) check() error {
	user, client, ip := e.User != "" || e.UserDefault, e.ClientID != "" || e.ClientIDDefault, e.IP != "" || e.IPDefault
	switch {
	case !user && !client && !ip:
		return errors.New("for nobody: allowed are user, client_id, both or ip, or user_default, client_id_default and ip_default")
	case ip && (user || client):
		return errors.New("an address has quotas of its own, not together with a user or a client id")
	case e.User != "" && e.UserDefault, e.ClientID != "" && e.ClientIDDefault, e.IP != "" && e.IPDefault:
		return errors.New("a name and the default of the same: allowed is one of them")
	}
	if e.User != "" {
		if err := quotaUser(e.User); err != nil {
			return fmt.Errorf("user %w", err)
		}
	}
	if e.ClientID != "" {
		if err := clientID(e.ClientID); err != nil {
			return fmt.Errorf("client_id %w", err)
		}
	}
	if e.IP != "" {
		if err := quotaIP(e.IP); err != nil {
			return fmt.Errorf("ip %w", err)
		}
	}
	return nil
}

func quotaUser(name string) error {
	if name == "*" || name == "<default>" {
		return fmt.Errorf("%q: what holds for all users who have no quota of their own is written user_default", name)
	}
	return userName(name)
}

func clientID(id string) error {
	switch {
	case id == "<default>":
		return errors.New(`"<default>" is how brokers in ZooKeeper mode store what holds for every client id: write client_id_default`)
	case id == "" || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl):
		return fmt.Errorf("%q: allowed is UTF-8 without control characters", id)
	}
	return nil
}

// quotaIP takes one spelling of each address, because brokers keep what they
// are given and would hold two quotas for one address.
func quotaIP(ip string) error {
	a, err := netip.ParseAddr(ip)
	switch {
	case err != nil || a.Zone() != "":
		return fmt.Errorf("%q: allowed is an IP address, without a zone", ip)
	case a.String() != ip:
		return fmt.Errorf("%q: write it as %q", ip, a)
	}
	return nil
}

// OwnsQuota reports whether the quota is in scope: that of a user, also for one
// client id, through scope.principals, that of a client id through client_ids,
// that of an address through ips. A default is owned by naming it in
// quota_defaults; where a user or the default of users is named, that decides.
func (s Scope) OwnsQuota(e QuotaEntity) bool { return s.index().ownsQuota(e) }

func (x scopeIndex) ownsQuota(e QuotaEntity) bool {
	owned, decided := false, false
	e.each(func(field, name string, isDefault bool) {
		switch {
		case decided:
			return
		case isDefault:
			owned = x.quotaDefaults[field]
		case field == "user":
			owned = x.principals[userPrincipal(name)]
		case field == "client_id":
			owned = x.clientIDs[name]
		default:
			owned = x.ips[name]
		}
		decided = true
	})
	return owned
}

func quotaDefault(field string) error {
	if _, ok := wireQuotaTypes[field]; !ok {
		return fmt.Errorf("%q: allowed are user, client_id and ip", field)
	}
	return nil
}

func (v *validator) checkQuotas(quotas []Quota) {
	seen := map[QuotaEntity]int{}
	for i, q := range quotas {
		at, e := index("quotas", i), q.Entity()
		err := e.check()
		j, dup := seen[e]
		switch {
		case err != nil:
			v.add(at, "%v", err)
		case dup:
			v.add(at, "%s is declared at %s already", e, index("quotas", j))
		case !v.scopeUnread && !v.scope.ownsQuota(e):
			v.add(at, "%s is outside the scope: a user stands in scope.principals, a client id in scope.client_ids, an address in scope.ips, a default in scope.quota_defaults", e)
		}
		if !dup {
			seen[e] = i
		}
		v.checkQuotaLimits(at, q)
	}
}

func (v *validator) checkQuotaLimits(at string, q Quota) {
	if q.State != "" && q.State != Present && q.State != Absent {
		v.add(at+".state", badState, string(q.State))
	}
	limits := q.limits()
	switch {
	case q.State == Absent && len(limits)+len(q.AbsentLimits) > 0:
		v.add(at+".state", "absent: an absent quota has no limits")
		return
	case q.State != Absent && len(limits)+len(q.AbsentLimits) == 0:
		v.add(at, "no limit given: name at least one, or state: absent")
	}
	v.checkAbsentLimits(at, q, limits)
	for k, rate := range map[string]int64{"producer_byte_rate": q.ProducerByteRate, "consumer_byte_rate": q.ConsumerByteRate} {
		if rate > maxByteRate {
			v.add(at+"."+k, "%d: allowed is at most %d", rate, int64(maxByteRate))
		}
	}
	for _, k := range sortedKeys(limits) {
		if err := checkLimit(q.Entity(), k, limits[k]); err != nil {
			v.add(at+"."+k, "%v", err)
		}
	}
}

func (v *validator) checkAbsentLimits(at string, q Quota, limits map[string]float64) {
	first := map[string]int{}
	for i, k := range q.AbsentLimits {
		path := index(at+".absent_limits", i)
		j, dup := first[k]
		_, set := limits[k]
		switch err := limitOf(q.Entity(), k); {
		case !slices.Contains(quotaKeys, k):
			v.add(path, "%q: allowed are %s", k, strings.Join(quotaKeys, ", "))
		case err != nil:
			v.add(path, "%s %v", k, err)
		case dup:
			v.add(path, "%q stands in %s already", k, index(at+".absent_limits", j))
		case set:
			v.add(path, "%s is set at %s: a limit cannot be both demanded and lifted", k, at+"."+k)
		}
		if !dup {
			first[k] = i
		}
	}
}

// limitOf refuses a limit that the entity cannot have.
func limitOf(e QuotaEntity, key string) error {
	switch ofAddress := e.IP != "" || e.IPDefault; {
	case key == connectionRate && !ofAddress:
		return errors.New("is a limit of addresses: allowed with ip and ip_default only")
	case key != connectionRate && ofAddress:
		return fmt.Errorf("is no limit of addresses: allowed with ip and ip_default is %s", connectionRate)
	}
	return nil
}

// checkLimit is what KRaft says of a limit that it is to set
// (ClientQuotaControlManager.validateQuotaKeyValue, 4.4).
func checkLimit(e QuotaEntity, key string, value float64) error {
	if err := limitOf(e, key); err != nil {
		return err
	}
	if !(value > 0) || math.IsInf(value, 0) {
		return fmt.Errorf("%s: allowed is more than 0; leave it out to leave it alone", number(value))
	}
	return nil
}

// checkQuotasWritten refuses empty values that stand in the YAML: a limit of 0
// would be no limit.
func (v *validator) checkQuotasWritten(quotas []Quota, written func(parent, field string) bool) {
	for i, q := range quotas {
		at := index("quotas", i)
		for field, value := range map[string]string{"user": q.User, "client_id": q.ClientID, "ip": q.IP, "state": string(q.State)} {
			if value == "" && written(at, field) {
				v.add(at+"."+field, "empty: leave it out")
			}
		}
		limits := q.limits()
		for _, k := range quotaKeys {
			if _, set := limits[k]; !set && written(at, k) {
				v.add(at+"."+k, "0: allowed is more than 0; leave it out to leave it alone")
			}
		}
	}
}

var quotaKeys = []string{"producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate", connectionRate}
