package real

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below Linux' ephemeral range (32768 and up, see
// ip_local_port_range in ip(7)). An ephemeral port that looks free now may be
// the local end of somebody's outgoing connection when a broker binds it, and
// again whenever that broker is restarted.
const (
	lowestPort  = 20000
	highestPort = 32767
)

// freePorts returns n distinct loopback ports that nobody listens on now.
// Another process may still take one before its server binds it; start retries
// then with other ports.
func freePorts(n int) ([]int, error) {
	ports := make([]int, 0, n)
	for tries := 0; len(ports) < n; tries++ {
		if tries == 100*n {
			return nil, fmt.Errorf("found %d free ports of %d in %d-%d", len(ports), n, lowestPort, highestPort)
		}
		port := lowestPort + rand.IntN(highestPort-lowestPort+1)
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		defer l.Close() // held until all are found, which keeps them distinct
		ports = append(ports, port)
	}
	return ports, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
