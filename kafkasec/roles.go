package kafkasec

// A role is what a kind of client does, said by the resources it does it with.
// Its Grants are a pure function of the role and the [Expansion].

// Release is a version of Kafka, {2, 8} for 2.8.1, as far as roles depend on it.
// The zero Release is the newest.
type Release struct{ Major, Minor int }

func (r Release) before(major, minor int) bool {
	return r != (Release{}) && (r.Major < major || r.Major == major && r.Minor < minor)
}

// Expansion says which bindings a role stands for. The zero Expansion is that of
// today's console scripts.
type Expansion struct {
	// LeastPrivilege leaves out what the client does not need: Create, because
	// topics are made by who owns them, and Describe, which Read and Write imply
	// (AclEntry and Authorizer: for allow only). It is otherwise what
	// kafka-acls --producer and --consumer make.
	LeastPrivilege bool
	// Kafka is the release of the console scripts or, with LeastPrivilege, of the
	// oldest broker.
	Kafka Release
}

// Grant is what a role needs on one resource.
type Grant struct {
	Resource Resource
	// Operations are allowed, from every host; none stands there twice.
	Operations []Operation
}

// Producer is a client that writes to topics.
type Producer struct {
	// Topics are literal or prefixed, as are TransactionalIDs.
	Topics []Resource
	// TransactionalIDs are for transactions, which include idempotence.
	TransactionalIDs []Resource
	// Idempotent is idempotence without transactions, the default of Java
	// clients since 3.0.
	Idempotent bool
}

// Grants gives, per topic and transactional ID, by AclCommand:
//
//	              topic                    transactional ID    cluster
//	before 2.0    Write, Describe          Write, Describe     Create
//	since 2.0     Create, Write, Describe  Write, Describe     –
//	least         Write                    Write               –
//
// Idempotent adds IdempotentWrite on the cluster. Least privilege does so only
// for brokers before 2.8: newer ones take Write on any topic for it (KIP-679).
// In 2.0 the right to create moved from the cluster to the topic (KIP-277).
func (p Producer) Grants(e Expansion) []Grant {
	topic, txn := []Operation{Create, Describe, Write}, []Operation{Describe, Write}
	var cluster []Operation
	switch {
	case e.LeastPrivilege:
		topic, txn = []Operation{Write}, []Operation{Write}
	case e.Kafka.before(2, 0):
		topic, cluster = []Operation{Describe, Write}, []Operation{Create}
	}
	if p.Idempotent && (!e.LeastPrivilege || e.Kafka.before(2, 8)) {
		cluster = append(cluster, IdempotentWrite)
	}
	grants := append(grantOn(p.Topics, topic), grantOn(p.TransactionalIDs, txn)...)
	if len(cluster) > 0 {
		grants = append(grants, Grant{Resource{ResourceCluster, clusterName, Literal}, cluster})
	}
	return grants
}

// Consumer is a client that reads topics as a member of groups.
type Consumer struct {
	// Topics and Groups are literal or prefixed. Without groups it assigns its
	// partitions itself.
	Topics, Groups []Resource
}

// Grants gives Read and Describe on the topics and Read on the groups, in all
// releases; least privilege leaves out Describe.
func (c Consumer) Grants(e Expansion) []Grant {
	topic := []Operation{Describe, Read}
	if e.LeastPrivilege {
		topic = []Operation{Read}
	}
	return append(grantOn(c.Topics, topic), grantOn(c.Groups, []Operation{Read})...)
}

func grantOn(resources []Resource, operations []Operation) []Grant {
	var grants []Grant
	for _, r := range resources {
		grants = append(grants, Grant{r, append([]Operation(nil), operations...)})
	}
	return grants
}
