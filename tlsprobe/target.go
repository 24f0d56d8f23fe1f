package tlsprobe

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Target is an endpoint. Where to connect, which name to ask for and which name
// must be certified are independent.
type Target struct {
	// Host is a name or an IP address, without brackets. A name of other
	// letters than ASCII's is converted (IDNA).
	Host string
	// Port is that of the upgrade where it is 0, so 443 for direct TLS.
	Port uint16
	// Upgrade is [Direct] where empty.
	Upgrade Upgrade
	// Dial is connected to instead of Host and Port, for example
	// "192.0.2.7:443". Empty means Host and Port.
	Dial string
	// ServerName is what the server is asked for (SNI). Empty means Host, unless
	// that is an IP address, which SNI cannot carry (RFC 6066 §3).
	ServerName string
	// NoServerName asks for no name.
	NoServerName bool
	// VerifyName must be in the certificate: a name or an IP address. Empty
	// means ServerName, or Host where that is empty as well.
	VerifyName string
	// Network is "tcp4" or "tcp6" to force one; empty means whichever connects
	// first (RFC 8305).
	Network string
}

// ParseTarget reads "host", "host:port", "[::1]:port" or "upgrade://host:port",
// for example "smtp://mail.example.org" or "auto://db.example.org:5432".
func ParseTarget(s string) (Target, error) {
	bad := func(found, allowed string) (Target, error) {
		return Target{}, fmt.Errorf("target %q: %s; allowed is HOST, HOST:PORT, [IPv6]:PORT or UPGRADE://HOST:PORT%s", s, found, allowed)
	}
	var t Target
	rest := s
	if scheme, after, ok := strings.Cut(s, "://"); ok {
		t.Upgrade, rest = Upgrade(scheme), after
		if scheme == "https" {
			t.Upgrade = Direct
			rest, _, _ = strings.Cut(rest, "/")
		}
		if err := t.Upgrade.validate(); err != nil {
			return Target{}, fmt.Errorf("target %q: %w", s, err)
		}
	}
	t.Host = rest
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(rest, "["), "]")); err == nil {
		t.Host = addr.String() // an address without port, IPv6 with or without brackets
		return t, nil
	}
	if strings.Contains(rest, ":") {
		host, port, err := net.SplitHostPort(rest)
		if err != nil {
			var ae *net.AddrError
			errors.As(err, &ae)
			return bad(ae.Err, "")
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return bad(fmt.Sprintf("port %q", port), ", with a port from 1 to 65535")
		}
		t.Host, t.Port = host, uint16(n)
	}
	if err := checkHost(t.Host); err != nil {
		return bad(err.Error(), "")
	}
	return t, nil
}

func (u Upgrade) validate() error {
	if _, ok := dialogues[u]; ok || u == "" || u == Direct || u == Auto {
		return nil
	}
	names := []string{string(Auto), string(Direct)}
	for _, known := range Upgrades() {
		names = append(names, string(known))
	}
	slices.Sort(names)
	return fmt.Errorf("upgrade %q is not known; allowed are %s", string(u), strings.Join(names, ", "))
}

func checkHost(host string) error {
	switch {
	case host == "":
		return errors.New("no host")
	case len(host) > 253:
		return fmt.Errorf("host of %d bytes, more than a name can have", len(host))
	}
	for _, r := range host {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`/\@?#"<>[]`, r) {
			return fmt.Errorf("%q in the host", r)
		}
	}
	return nil
}

// Validate says what is wrong with a target, without looking anything up.
func (t Target) Validate() error {
	_, err := t.resolve()
	return err
}

// resolve returns the target with every default in its field, or what is wrong.
func (t Target) resolve() (Target, error) {
	if err := t.Upgrade.validate(); err != nil {
		return t, err
	}
	if t.Network != "" && t.Network != "tcp" && t.Network != "tcp4" && t.Network != "tcp6" {
		return t, fmt.Errorf(`network %q; allowed are "tcp", "tcp4" and "tcp6"`, t.Network)
	}
	if err := checkHost(t.Host); err != nil {
		return t, err
	}
	if t.Upgrade == "" {
		t.Upgrade = Direct
	}
	if t.Port == 0 {
		t.Port = t.Upgrade.Port()
	}
	if t.Upgrade == Auto {
		t.Upgrade = UpgradeOf(t.Port)
	}
	host, err := asciiName(t.Host)
	if err != nil {
		return t, err
	}
	t.Host = host
	if t.Dial == "" {
		t.Dial = net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port)))
	}
	if t.Network == "" {
		t.Network = "tcp"
	}
	name := strings.TrimSuffix(t.Host, ".")
	if t.VerifyName == "" {
		t.VerifyName = name
		if t.ServerName != "" {
			t.VerifyName = t.ServerName
		}
	}
	if t.ServerName == "" && !t.NoServerName {
		if _, err := netip.ParseAddr(name); err != nil {
			t.ServerName = name
		}
	}
	return t, nil
}

// String writes the target as [ParseTarget] reads it.
func (t Target) String() string {
	s := t.Host
	if t.Port != 0 {
		s = net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port)))
	} else if strings.Contains(s, ":") {
		s = "[" + s + "]"
	}
	if t.Upgrade != "" && t.Upgrade != Direct {
		s = string(t.Upgrade) + "://" + s
	}
	return s
}
