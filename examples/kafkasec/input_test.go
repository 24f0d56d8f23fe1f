package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec"
)

func TestDocument_LocatesInVariablesOnly(t *testing.T) {
	doc := document{name: "all.yml", variables: true, spec: kafkasec.Spec{
		Topics: []kafkasec.Topic{{Name: "a"}, {Name: "b"}},
		ACLs:   []kafkasec.ACL{{Principal: "User:amy", Resource: "topic:b"}},
	}}
	problems := holdfast.Problems{
		{Path: "topics[1].partitions", Message: "1: too few"},
		{Path: "topics[0].replication_factor", Message: "9: too many"},
		{Path: "topics[0].name", Message: "collides"},
		{Path: "acls[0].host", Message: "matches nobody"},
		{Path: "acls[7].host", Message: "out of range"},
		{Message: "nowhere"},
	}
	require.EqualError(t, doc.located(errors.Join(problems)), `all.yml: kafka_partition_count: topic "b": 1: too few
all.yml: kafka_replication_count: topic "a": 9: too many
all.yml: topics_acl_users: topic "a": collides
all.yml: topics_acl_users: User:amy on topic:b: matches nobody
all.yml: topics_acl_users: out of range
all.yml: topics_acl_users: nowhere`)

	other := errors.New("broker gone")
	require.Equal(t, other, doc.located(other))
	doc.variables = false
	require.Equal(t, error(problems), doc.located(problems))
}
