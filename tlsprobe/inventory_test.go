package tlsprobe

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProber_Inventory(t *testing.T) {
	root := newMint(t, nil, ca("root"))
	leaf := newMint(t, root, as)
	cert := []tls.Certificate{{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}}
	strong, weak := tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
	target := serve(t, &tls.Config{Certificates: cert, MinVersion: tls.VersionTLS11, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{strong, weak}})
	inv := prober(root.cert).Inventory(t.Context(), target)
	require.NoError(t, inv.Incomplete)
	require.Equal(t, []VersionSuites{{tls.VersionTLS12, []uint16{strong, weak}}, {tls.VersionTLS11, []uint16{weak}}}, inv.Versions)
	// Four versions, each until the server has nothing left.
	require.Equal(t, 1+3+2+1, inv.Connections)
	require.Len(t, inv.First.Certificates, 1)

	target = serve(t, &tls.Config{Certificates: cert, MinVersion: tls.VersionTLS13})
	inv = prober(root.cert).Inventory(t.Context(), target)
	require.Len(t, inv.Versions, 1)
	require.Equal(t, uint16(tls.VersionTLS13), inv.Versions[0].Version)

	inv = prober(root.cert).Inventory(t.Context(), Target{Host: "localhost", Port: 1, Network: "tcp4"})
	require.Error(t, inv.Incomplete)
	require.Empty(t, inv.Versions)
	require.Equal(t, 1, inv.Connections)
}
