package conform_test

import (
	"testing"

	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

func TestFake(t *testing.T) { conform.Run(t, conform.NewFake(t), conform.Cases) }

func TestReal_OneNode(t *testing.T) { conform.Run(t, conform.Real(real.Kafka(t)), conform.Cases) }

func TestReal_ThreeNodes(t *testing.T) {
	conform.Run(t, conform.Real(real.NewKafka(t, real.Options{Nodes: 3})), conform.Cases)
}

func TestReal_Kafka43(t *testing.T) {
	conform.Run(t, conform.Real(real.NewKafka(t, real.Options{Version: "4.3.1"})), conform.Cases)
}

func TestReal_ZooKeeper(t *testing.T) {
	conform.Run(t, conform.Real(real.NewKafka(t, real.Options{Version: "3.9.2"})), conform.Cases)
}
