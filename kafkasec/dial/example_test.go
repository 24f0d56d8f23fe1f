package dial_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// A program that takes the properties file which kafka-topics.sh takes, too.
func Example() {
	ctx := context.Background()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "admin", "s3cret"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer broker.Close()

	cfg, err := dial.ParseProperties(ctx, "admin.properties", []byte(`
		security.protocol=SASL_PLAINTEXT
		sasl.mechanism=SCRAM-SHA-512
		sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
		    username="admin" password="s3cret";
		acks=all
	`), dial.ParseOptions{})
	if err != nil {
		fmt.Println(err) // every problem, a line each
		return
	}
	for _, i := range cfg.Ignored {
		fmt.Println("not used:", i)
	}

	cfg.Brokers = broker.ListenAddrs()
	cl, err := dial.Connect(ctx, cfg)
	if err != nil {
		fmt.Println(err) // a line per broker: address, protocol, cause
		return
	}
	defer cl.Close()
	fmt.Println("connected")

	// The same port without a login.
	_, err = dial.Connect(ctx, dial.Config{Brokers: cfg.Brokers})
	fmt.Println(strings.ReplaceAll(err.Error(), cfg.Brokers[0], "kafka1:9092"))
	// Output:
	// not used: line 6: acks: is for producing or consuming records
	// connected
	// connect to kafka1:9092 (PLAINTEXT): the port requires SASL, and none is configured: it enables PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
}

func ExampleRequire() {
	ctx := context.Background()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.MaxVersions(kafka22()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer broker.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(broker.ListenAddrs()...))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cl.Close()

	err = dial.Require(ctx, cl, dial.Need{Key: kmsg.IncrementalAlterConfigs})
	fmt.Println(err)
	// Output:
	// needs IncrementalAlterConfigs, Kafka 2.3 or newer; this broker is about 2.2
}
