package kafkasec

// Roles of Kafka's own platform components. The console scripts have no options
// for these, so an [Expansion] says only how old the brokers are, and the
// grants are meant as least privilege. Topics that are known beforehand are made
// by who owns them; a role has Create only where the component makes up names
// itself.
//
// All but SchemaRegistry are proved against real brokers. It follows
// documentation, which says where to check, not that a client was seen to need
// exactly these grants.

// Streams is a Kafka Streams application.
type Streams struct {
	ApplicationID string
	// InputTopics are read and OutputTopics written, by their owners' names.
	InputTopics, OutputTopics []Resource
	// ExactlyOnce is processing.guarantee exactly_once_v2.
	ExactlyOnce bool
}

// Grants gives Read on input and Write on output topics, Read on the group,
// which is called like the application, and Create, Delete, Read and Write on
// the topics "<application.id>-*": those of repartitions and changelogs, which
// the application makes (InternalTopicManager of 4.4). It cuts those of
// repartitions where it has read them, for which DeleteRecords wants Delete;
// without that it runs on, says nothing above log level debug, and they grow for
// ever (TaskManager of 4.4). Exactly once adds Write on the transactional IDs
// "<application.id>-*" (ActiveTaskCreator of 4.4).
//
// The same is enough, and all of it is needed, with group.protocol=streams
// (KIP-1071). There the broker makes the topics, on the member's right of Create;
// without that a member logs a warning and waits for ever (KafkaApis of 4.4).
//
// An application whose ID is another's and a dash and more falls under the
// other's prefix.
func (s Streams) Grants(e Expansion) []Grant {
	own := s.ApplicationID + "-"
	grants := grantOn(s.InputTopics, []Operation{Read})
	grants = append(grants, grantOn(s.OutputTopics, []Operation{Write})...)
	grants = append(grants,
		Grant{Resource{ResourceTopic, own, Prefixed}, []Operation{Create, Delete, Read, Write}},
		Grant{Resource{ResourceGroup, s.ApplicationID, Literal}, []Operation{Read}})
	if s.ExactlyOnce {
		grants = append(grants, Grant{Resource{ResourceTransactionalID, own, Prefixed}, []Operation{Write}})
		grants = append(grants, e.idempotence()...)
	}
	return grants
}

// ConnectWorker is a worker of a distributed Kafka Connect cluster, without its
// connectors.
type ConnectWorker struct {
	// Group is group.id, the others config.storage.topic, offset.storage.topic
	// and status.storage.topic.
	Group, ConfigTopic, OffsetTopic, StatusTopic string
	// ExactlyOnce is exactly.once.source.support.
	ExactlyOnce bool
}

// Grants gives Read on the group, and Read and Write on the three topics. It
// has no Create and no DescribeConfigs: where a worker may neither make the
// topics nor see whether they are compacted, it takes them as made (TopicAdmin of
// Connect 4.4). Exactly once adds Write on the transactional ID
// "connect-cluster-<group.id>" (DistributedConfig of 4.4, KIP-618). Write on the
// offset topic is then for connectors with an offsets.storage.topic of their own,
// whose offsets the worker copies (ConnectorOffsetBackingStore of 4.4).
//
// The worker's principal is also that of connectors without overrides in their
// configuration: those have a [Connector] of their own. Files and variables that
// config.providers read are no resources of Kafka's.
func (c ConnectWorker) Grants(e Expansion) []Grant {
	grants := []Grant{
		{literal(ResourceGroup, c.Group), []Operation{Read}},
		{literal(ResourceTopic, c.ConfigTopic), []Operation{Read, Write}},
		{literal(ResourceTopic, c.OffsetTopic), []Operation{Read, Write}},
		{literal(ResourceTopic, c.StatusTopic), []Operation{Read, Write}},
	}
	if c.ExactlyOnce {
		grants = append(grants, Grant{literal(ResourceTransactionalID, "connect-cluster-"+c.Group), []Operation{Write}})
		grants = append(grants, e.idempotence()...)
	}
	return grants
}

// Connector is what the clients do that Connect makes for one connector: a sink
// where it has input topics, a source where it has output topics.
type Connector struct {
	// Name is the connector's.
	Name string
	// InputTopics are those of a sink, OutputTopics those of a source.
	InputTopics, OutputTopics []Resource
	// DeadLetterTopic is errors.deadletterqueue.topic.name of a sink; "" is none.
	DeadLetterTopic string
	// ExactlyOnce is a source under exactly.once.source.support, for which
	// Group and OffsetTopic are those of its worker, or OffsetTopic is the
	// connector's own, offsets.storage.topic.
	ExactlyOnce        bool
	Group, OffsetTopic string
}

// Grants gives a sink Read on its topics and on the group "connect-<name>"
// (SinkUtils of Connect 4.4) and Write on its dead letter queue, and a source
// Write on its topics. Topics that topic.creation.* of the connector would make
// are made by who owns them.
//
// Exactly once adds Write on the transactional IDs "<group.id>-<name>-*", one
// for each task, and Read and Write on the offsets topic, which belongs into the
// same transactions (Worker of 4.4, KIP-618).
//
// The principal is that of the connector's producers, consumers and admin clients
// alike. The last look for the dead letter queue, and fence a source's former
// tasks, by their transactional IDs.
func (c Connector) Grants(e Expansion) []Grant {
	grants := grantOn(c.InputTopics, []Operation{Read})
	if len(c.InputTopics) > 0 {
		grants = append(grants, Grant{literal(ResourceGroup, "connect-"+c.Name), []Operation{Read}})
	}
	if c.DeadLetterTopic != "" {
		grants = append(grants, Grant{literal(ResourceTopic, c.DeadLetterTopic), []Operation{Write}})
	}
	grants = append(grants, grantOn(c.OutputTopics, []Operation{Write})...)
	if c.ExactlyOnce {
		grants = append(grants,
			Grant{Resource{ResourceTransactionalID, c.Group + "-" + c.Name + "-", Prefixed}, []Operation{Write}},
			Grant{literal(ResourceTopic, c.OffsetTopic), []Operation{Read, Write}})
		grants = append(grants, e.idempotence()...)
	}
	return grants
}

// MirrorMaker is MirrorMaker 2 in its dedicated mode, for one flow from a source
// cluster to a target cluster, by default names and with DefaultReplicationPolicy.
// Its principal needs one thing on the source and another on the target.
type MirrorMaker struct {
	// OnTarget asks for the grants on the target cluster, not on the source.
	OnTarget bool
	// SourceAlias and TargetAlias are the names of the clusters in its file.
	SourceAlias, TargetAlias string
	// Topics are those on the source that are mirrored.
	Topics []Resource
	// Groups are those whose offsets are translated. On the target they are for
	// sync.group.offsets.enabled, whose default is false.
	Groups []Resource
	// SyncACLs is sync.topic.acls.enabled, whose default is true.
	SyncACLs bool
	// Heartbeats is emit.heartbeats.enabled, whose default is true.
	Heartbeats bool
	// OffsetSyncsOnTarget is offset-syncs.topic.location=target; the default is
	// the source.
	OffsetSyncsOnTarget bool
}

// Grants gives, by what MirrorMaker 4.3.1 was refused on brokers of 4.4.0 (KIP-382):
//
//	on the source
//	  topics: DescribeConfigs              MirrorSourceConnector, which makes and keeps the mirrored ones alike
//	  topics: Read                         MirrorSourceTask
//	  groups: Describe                     MirrorCheckpointTask
//	  mm2-offset-syncs.<target>.internal:  OffsetSyncWriter writes,
//	    Read, Write                        OffsetSyncStore reads it
//	  SyncACLs: Describe on the cluster    MirrorSourceConnector
//	on the target
//	  "<source>.*": Alter, AlterConfigs,   MirrorSourceConnector, for new partitions, configs and topics;
//	    Create, Write                      MirrorSourceTask and MirrorCheckpointTask write
//	  mm2-configs, -offsets, -status       DistributedHerder, the worker
//	    .<source>.internal: Read, Write
//	  group "<source>-mm2": Read           DistributedHerder
//	  groups: Read                         MirrorCheckpointTask, which commits the translated offsets;
//	    and "<source>.*": Read             a commit needs it on the topics, too
//	  <source>.checkpoints.internal: Read  CheckpointStore
//	  SyncACLs: Alter on the cluster       MirrorSourceConnector
//
// Heartbeats are written to the topic "heartbeats" of both clusters, each by a
// worker that writes there, so the source has the worker's grants, too, by the
// name of the target. Those of the source are mirrored, which needs what topics
// need.
//
// The topics that are written out, but for checkpoints, are made by who owns
// them, compacted; configs with one partition. Where MirrorMaker may not create
// them it takes them as made (MirrorUtils). exactly.once.source.support is not
// covered.
func (m MirrorMaker) Grants(Expansion) []Grant {
	if m.OnTarget {
		return m.target()
	}
	return m.source()
}

func (m MirrorMaker) source() []Grant {
	grants := grantOn(m.Topics, []Operation{DescribeConfigs, Read})
	if !m.OffsetSyncsOnTarget {
		grants = append(grants, offsetSyncs(m.TargetAlias))
	}
	grants = append(grants, grantOn(m.Groups, []Operation{Describe})...)
	if m.SyncACLs {
		grants = append(grants, Grant{literal(ResourceCluster, clusterName), []Operation{Describe}})
	}
	if m.Heartbeats {
		grants = append(grants, Grant{literal(ResourceTopic, "heartbeats"), []Operation{DescribeConfigs, Read, Write}})
		grants = append(grants, herder(m.TargetAlias)...)
	}
	return grants
}

func (m MirrorMaker) target() []Grant {
	mirrored := Resource{ResourceTopic, m.SourceAlias + ".", Prefixed}
	grants := append(herder(m.SourceAlias), Grant{mirrored, []Operation{Alter, AlterConfigs, Create, Write}})
	if len(m.Groups) > 0 {
		grants = append(grants, Grant{mirrored, []Operation{Read}})
	} else {
		grants = append(grants, Grant{literal(ResourceTopic, m.SourceAlias+".checkpoints.internal"), []Operation{Read}})
	}
	if m.OffsetSyncsOnTarget {
		grants = append(grants, offsetSyncs(m.SourceAlias))
	}
	grants = append(grants, grantOn(m.Groups, []Operation{Read})...)
	if m.SyncACLs {
		grants = append(grants, Grant{literal(ResourceCluster, clusterName), []Operation{Alter}})
	}
	if m.Heartbeats {
		grants = append(grants, Grant{literal(ResourceTopic, "heartbeats"), []Operation{Write}})
	}
	return grants
}

// herder is what the Connect worker of a flow needs on the cluster that the flow
// goes to, from the one called other.
func herder(other string) []Grant {
	grants := []Grant{{literal(ResourceGroup, other+"-mm2"), []Operation{Read}}}
	for _, kind := range []string{"configs", "offsets", "status"} {
		grants = append(grants, Grant{literal(ResourceTopic, "mm2-"+kind+"."+other+".internal"), []Operation{Read, Write}})
	}
	return grants
}

// offsetSyncs is the topic on one cluster that is named after the other.
func offsetSyncs(other string) Grant {
	return Grant{literal(ResourceTopic, "mm2-offset-syncs."+other+".internal"), []Operation{Read, Write}}
}

// SchemaRegistry is Confluent's Schema Registry, with the leader elected by
// Kafka's group protocol.
type SchemaRegistry struct {
	// Topic is kafkastore.topic and Group schema.registry.group.id. The empty
	// ones are the defaults, "_schemas" and "schema-registry".
	Topic, Group string
}

// Grants gives DescribeConfigs, Read and Write on the topic, which exists and is
// compacted, and Read on the group. It has not been tried on a registry: it
// follows "Authorizing Access to the Schemas Topic" of Confluent's documentation
// (docs/security.rst of confluentinc/schema-registry, its pull request 1051, and
// the page of 2021 as kafka-ops/julie issue 296 has it). That page also lists
// Describe on the topic, which Read implies, Create on the cluster, which a topic
// that exists does not need, and DescribeConfigs on __consumer_offsets, which is
// left out because nothing in KafkaStore, the class behind the topic, asks for it.
func (s SchemaRegistry) Grants(Expansion) []Grant {
	topic, group := s.Topic, s.Group
	if topic == "" {
		topic = "_schemas"
	}
	if group == "" {
		group = "schema-registry"
	}
	return []Grant{
		{literal(ResourceTopic, topic), []Operation{DescribeConfigs, Read, Write}},
		{literal(ResourceGroup, group), []Operation{Read}},
	}
}

// ReadOnlyAdmin sees everything there is to see but records, and changes nothing.
type ReadOnlyAdmin struct{}

// Grants gives Describe on every topic, group and transactional ID and on the
// cluster, which shows ACLs and SCRAM users, and DescribeConfigs on topics,
// groups and the cluster, which shows quotas, too (KafkaApis of 4.4). Before
// Kafka 4.0 groups have no DescribeConfigs (AclEntry of 3.9 and 4.0).
func (ReadOnlyAdmin) Grants(e Expansion) []Grant {
	group := []Operation{Describe, DescribeConfigs}
	if e.Kafka.before(4, 0) {
		group = group[:1]
	}
	return []Grant{
		{literal(ResourceTopic, anyName), []Operation{Describe, DescribeConfigs}},
		{literal(ResourceGroup, anyName), group},
		{literal(ResourceTransactionalID, anyName), []Operation{Describe}},
		{literal(ResourceCluster, clusterName), []Operation{Describe, DescribeConfigs}},
	}
}

func literal(typ ResourceType, name string) Resource { return Resource{typ, name, Literal} }

// idempotence is what a least privileged producer needs for it, see [Producer].
// That brokers before 2.8 need it is by KIP-679; none was asked.
func (e Expansion) idempotence() []Grant {
	if e.Kafka.before(2, 8) {
		return []Grant{{literal(ResourceCluster, clusterName), []Operation{IdempotentWrite}}}
	}
	return nil
}
