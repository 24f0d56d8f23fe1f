package main

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

// TestMain makes the program a command of the scripts: the test binary under
// another name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tlsprobe": main})
}

// TestScripts runs testdata/script/*.txtar, with servers at $GOOD, $EXPIRED and
// $MTLS that ca.pem certifies, and nothing at $NOTHING.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "", // read the diff
		Setup:         setup,
	})
}

func setup(env *testscript.Env) error {
	ca, err := pki.NewCA("script CA")
	if err != nil {
		return err
	}
	past := time.Date(2020, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, how := range map[string]struct {
		leaf   pki.Leaf
		config *tls.Config
	}{
		"GOOD":    {pki.Leaf{CommonName: "good"}, &tls.Config{}},
		"EXPIRED": {pki.Leaf{CommonName: "expired", NotBefore: past.AddDate(0, -1, 0), NotAfter: past}, &tls.Config{}},
		"MTLS":    {pki.Leaf{CommonName: "mtls"}, &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}},
	} {
		how.leaf.Server, how.leaf.DNSNames = true, []string{"localhost"}
		cert, err := ca.Issue(how.leaf)
		if err != nil {
			return err
		}
		how.config.Certificates = []tls.Certificate{{PrivateKey: cert.Key, Certificate: [][]byte{cert.Chain[0].Raw}}}
		l, err := tls.Listen("tcp", "127.0.0.1:0", how.config)
		if err != nil {
			return err
		}
		env.Defer(func() { l.Close() })
		go accept(l)
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return err
		}
		env.Setenv(name, "localhost:"+port)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Setenv("NOTHING", closed.Addr().String())
	if err := closed.Close(); err != nil {
		return err
	}
	if err := writeStores(env, ca); err != nil {
		return err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert.Raw})
	return os.WriteFile(filepath.Join(env.WorkDir, "ca.pem"), block, 0o600)
}

// writeStores writes the files that the verb files looks at.
func writeStores(env *testscript.Env, ca *pki.CA) error {
	past := time.Date(2020, 3, 1, 0, 0, 0, 0, time.UTC)
	old, err := ca.Issue(pki.Leaf{CommonName: "old", NotBefore: past.AddDate(0, -1, 0), NotAfter: past})
	if err != nil {
		return err
	}
	good, err := ca.Issue(pki.Leaf{CommonName: "good"})
	if err != nil {
		return err
	}
	jks, err := good.JKS("me", holdfast.NewSecret("store-pw"), holdfast.Secret{})
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"stores/good.pem": good.ChainPEM(), "stores/good.jks": jks, "old/server.pem": old.ChainPEM(), "stores/readme.txt": []byte("not a store"),
		"stores/agent/client-kubelet.crt": good.ChainPEM(), "password": []byte("store-pw\n"), "wrong": []byte("canary-password\n"),
	} {
		file := filepath.Join(env.WorkDir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, data, 0o600)); err != nil {
			return err
		}
	}
	return nil
}

func accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			_, _ = conn.Read(make([]byte, 1)) // until the probe says goodbye
			conn.Close()
		}()
	}
}
