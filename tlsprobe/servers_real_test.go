package tlsprobe

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// server is a real one that the probe meets.
type server struct {
	spec real.DaemonSpec
	// upgrades to probe, by port.
	upgrades []Upgrade
	client   ClientAuth
	// warns is what it says of every client that leaves after the handshake.
	warns string
	// own is what it says of itself.
	own string
}

// complaint is what no server may log of a probe.
var complaint = regexp.MustCompile(`(?i)\b(error|fatal|panic|crit|critical|alert|emerg|severe|warn|warning)\b|fail|could not accept|aborted`)

var servers = map[string]server{
	"postgres": {upgrades: []Upgrade{Postgres}, client: NotRequested, spec: real.DaemonSpec{
		Program: "postgres", User: "postgres", Ports: 1, Setup: func(d *real.Daemon) real.Launch {
			return real.Launch{
				Before: [][]string{{"initdb", "-D", d.Path("data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"}},
				Args: []string{"-D", d.Path("data"), "-c", "listen_addresses=127.0.0.1", "-p", fmt.Sprint(d.Port(0)), "-c", "unix_socket_directories=",
					"-c", "ssl=on", "-c", "ssl_cert_file=" + d.Cert, "-c", "ssl_key_file=" + d.Key, "-c", "log_connections=on", "-c", "fsync=off"},
				Ready: "ready to accept connections",
			}
		}}},
	"mariadb": {upgrades: []Upgrade{MySQL}, client: Optional, spec: real.DaemonSpec{
		Program: "mariadbd", User: "nobody", Ports: 1, Setup: func(d *real.Daemon) real.Launch {
			return real.Launch{
				Before: [][]string{{"mariadb-install-db", "--no-defaults", "--datadir=" + d.Path("data"), "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-flush-method=nosync"}},
				Args: []string{"--no-defaults", "--datadir=" + d.Path("data"), "--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", d.Port(0)), "--socket=" + d.Path("s"),
					"--ssl-ca=" + d.CA, "--ssl-cert=" + d.Cert, "--ssl-key=" + d.Key},
				Ready: "ready for connections",
			}
		}}, warns: `\[Warning\] Aborted connection .* \(This connection closed normally without authentication\)`},
	"slapd": {upgrades: []Upgrade{LDAP, Direct}, client: NotRequested, spec: real.DaemonSpec{
		Program: "slapd", User: "nobody", Ports: 2, Setup: func(d *real.Daemon) real.Launch {
			return real.Launch{
				Files: map[string]string{"data/empty": "", "slapd.conf": strings.Join([]string{
					"include /etc/ldap/schema/core.schema", "modulepath /usr/lib/ldap", "moduleload back_mdb",
					"TLSCACertificateFile " + d.CA, "TLSCertificateFile " + d.Cert, "TLSCertificateKeyFile " + d.Key, "TLSProtocolMin 3.3",
					"pidfile " + d.Path("pid"), "database mdb", "suffix dc=example", "directory " + d.Path("data"), ""}, "\n")},
				Args:  []string{"-f", d.Path("slapd.conf"), "-h", fmt.Sprintf("ldap://%s ldaps://%s", d.Address(0), d.Address(1)), "-d", "stats"},
				Ready: "slapd starting",
			}
		}}},
	"postfix": {upgrades: []Upgrade{SMTP, Direct}, client: NotRequested, spec: real.DaemonSpec{
		// The command postfix would leave it behind when it is ended.
		Program: "/usr/lib/postfix/sbin/master", Root: true, Ports: 2, Setup: func(d *real.Daemon) real.Launch {
			return real.Launch{
				Files: map[string]string{"etc/main.cf": strings.Join([]string{
					"compatibility_level = 3.6", "queue_directory = " + d.Path("spool"), "data_directory = " + d.Path("lib"),
					"maillog_file = " + d.Path("mail.log"), "maillog_file_prefixes = " + d.Dir, "inet_interfaces = 127.0.0.1", "inet_protocols = ipv4",
					"myhostname = localhost", "alias_maps =", "alias_database =", "smtpd_tls_security_level = may", "smtpd_tls_cert_file = " + d.Cert, "smtpd_tls_key_file = " + d.Key, "smtpd_tls_loglevel = 1", ""}, "\n"),
					"etc/master.cf": strings.Join([]string{
						d.Address(0) + " inet n - n - - smtpd",
						d.Address(1) + " inet n - n - - smtpd -o smtpd_tls_wrappermode=yes",
						"postlog unix-dgram n - n - 1 postlogd", "anvil unix - - n - 1 anvil", "tlsmgr unix - - n 1000? 1 tlsmgr",
						"rewrite unix - - n - - trivial-rewrite", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr", "pickup unix n - n 60 1 pickup",
						"bounce unix - - n - 0 bounce", "proxymap unix - - n - - proxymap", "scache unix - - n - 1 scache", "smtp unix - - n - - smtp", "showq unix n - n - - showq", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "verify unix - - n - 1 verify", "flush unix n - n 1000? 0 flush", "error unix - - n - - error", "retry unix - - n - - error", "discard unix - - n - - discard", "local unix - n n - - local", "virtual unix - n n - - virtual", "lmtp unix - - n - - lmtp", ""}, "\n"),
					"lib/empty": "", "spool/empty": ""},
				Before:     [][]string{{"chown", "-R", "postfix", d.Path("lib")}, {"postfix", "-c", d.Path("etc"), "check"}},
				Args:       []string{"-c", d.Path("etc"), "-s"},
				OwnSession: true,
				Logs:       []string{"mail.log"},
			}
		}}},
	"dovecot": {upgrades: []Upgrade{IMAP, Direct}, client: NotRequested, spec: real.DaemonSpec{
		Program: "dovecot", Root: true, Ports: 2, Setup: func(d *real.Daemon) real.Launch {
			return real.Launch{
				Files: map[string]string{"dovecot.conf": strings.Join([]string{
					"protocols = imap", "base_dir = " + d.Path("run"), "state_dir = " + d.Path("run"), "log_path = /dev/stderr", "ssl = yes",
					"ssl_cert = <" + d.Cert, "ssl_key = <" + d.Key, "listen = 127.0.0.1", "mail_location = maildir:~/Maildir",
					"passdb {", "driver = static", "args = nopassword=y", "}", "userdb {", "driver = static", "args = uid=nobody gid=nogroup home=" + d.Path("mail"), "}",
					"service imap-login {", "inet_listener imap {", fmt.Sprintf("port = %d", d.Port(0)), "}", "inet_listener imaps {", fmt.Sprintf("port = %d", d.Port(1)), "ssl = yes", "}", "}", ""}, "\n")},
				Args: []string{"-F", "-c", d.Path("dovecot.conf")},
			}
		}}, own: `Warning: Killed with signal 15`},
	"nginx": {upgrades: []Upgrade{Direct}, client: NotRequested, spec: nginx("")},
	// It asks in the handshake and refuses in HTTP, so that it can say why.
	"nginx with client certificates": {upgrades: []Upgrade{Direct}, client: Optional, spec: nginx("ssl_verify_client on;")},
	"redis": {upgrades: []Upgrade{Direct}, client: NotRequested, spec: real.DaemonSpec{
		Program: "redis-server", User: "nobody", Ports: 1, Setup: func(d *real.Daemon) real.Launch {
			return real.Launch{
				Args: []string{"--port", "0", "--tls-port", fmt.Sprint(d.Port(0)), "--bind", "127.0.0.1", "--tls-cert-file", d.Cert, "--tls-key-file", d.Key,
					"--tls-ca-cert-file", d.CA, "--tls-auth-clients", "no", "--save", "", "--dir", d.Dir},
				Ready: "Ready to accept connections",
			}
		}}},
	"mosquitto": {upgrades: []Upgrade{Direct}, client: NotRequested, spec: real.DaemonSpec{
		Program: "mosquitto", User: "nobody", Ports: 1, Setup: func(d *real.Daemon) real.Launch {
			return real.Launch{
				Files: map[string]string{"m.conf": fmt.Sprintf("listener %d 127.0.0.1\ncafile %s\ncertfile %s\nkeyfile %s\nallow_anonymous true\nlog_type all\n", d.Port(0), d.CA, d.Cert, d.Key)},
				Args:  []string{"-c", d.Path("m.conf")},
			}
		}}},
	"nats": {upgrades: []Upgrade{NATS}, client: NotRequested, spec: real.DaemonSpec{
		Program: "nats-server", User: "nobody", Ports: 1, Setup: func(d *real.Daemon) real.Launch {
			return real.Launch{Args: []string{"-a", "127.0.0.1", "-p", fmt.Sprint(d.Port(0)), "--tls", "--tlscert", d.Cert, "--tlskey", d.Key, "-D"}, Ready: "Server is ready"}
		}}},
	"rabbitmq": {upgrades: []Upgrade{Direct}, client: NotRequested, spec: real.DaemonSpec{
		Program: "/usr/lib/rabbitmq/bin/rabbitmq-server", User: "rabbitmq", Ports: 3, Setup: func(d *real.Daemon) real.Launch {
			epmd := fmt.Sprint(d.Port(1))
			return real.Launch{
				Files: map[string]string{"r.conf": fmt.Sprintf("listeners.tcp = none\nlisteners.ssl.1 = %s\nssl_options.cacertfile = %s\nssl_options.certfile = %s\nssl_options.keyfile = %s\nlog.console = true\nlog.file = false\n", d.Address(0), d.CA, d.Cert, d.Key), "plugins": "[]."},
				// One that rabbitmq-server starts would outlive it.
				Beside: [][]string{{"epmd", "-address", "127.0.0.1", "-port", epmd}},
				Env: []string{"RABBITMQ_CONFIG_FILE=" + d.Path("r.conf"), "RABBITMQ_MNESIA_BASE=" + d.Path("mnesia"), "RABBITMQ_LOG_BASE=" + d.Path("log"),
					"RABBITMQ_NODENAME=t@localhost", fmt.Sprintf("RABBITMQ_DIST_PORT=%d", d.Port(2)), "ERL_EPMD_ADDRESS=127.0.0.1", "ERL_EPMD_PORT=" + epmd,
					"RABBITMQ_ENABLED_PLUGINS_FILE=" + d.Path("plugins"), "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}"},
				Ready: "Server startup complete",
			}
		}}},
}

func nginx(client string) real.DaemonSpec {
	return real.DaemonSpec{Program: "nginx", User: "nobody", Ports: 1, Setup: func(d *real.Daemon) real.Launch {
		return real.Launch{
			Files: map[string]string{"temp/empty": "", "nginx.conf": fmt.Sprintf(`daemon off;
pid %[1]s/pid;
error_log %[1]s/error.log info;
events {}
http {
	access_log %[1]s/access.log;
	client_body_temp_path %[1]s/temp; proxy_temp_path %[1]s/temp; fastcgi_temp_path %[1]s/temp; uwsgi_temp_path %[1]s/temp; scgi_temp_path %[1]s/temp;
	ssl_certificate %[2]s; ssl_certificate_key %[3]s; ssl_client_certificate %[4]s; %[5]s
	server { listen %[6]s ssl; return 204; }
}
`, d.Dir, d.Cert, d.Key, d.CA, client, d.Address(0))},
			Args: []string{"-e", d.Path("error.log"), "-c", d.Path("nginx.conf")},
			Logs: []string{"error.log", "access.log"},
		}
	}}
}

// Real servers show their certificate, are judged rightly, and log no complaint.
func TestReal_ServersAreJudgedAndDoNotComplain(t *testing.T) {
	real.Enabled(t)
	for name, s := range servers {
		t.Run(name, func(t *testing.T) {
			d := real.StartDaemon(t, s.spec)
			p := &Prober{Roots: d.Issuer().Pool(), Timeout: 30 * time.Second}
			quiet := map[string]bool{}
			for line := range strings.Lines(d.Log()) {
				quiet[line] = true
			}
			for _, version := range []uint16{0, 0x0303} {
				p := &Prober{Roots: p.Roots, Timeout: p.Timeout, MaxVersion: version}
				for i, upgrade := range s.upgrades {
					for range 3 {
						r := p.Probe(t.Context(), Target{Host: "localhost", Dial: d.Address(i), Upgrade: upgrade})
						require.Empty(t, r.Reasons, "%s", upgrade)
						require.NoError(t, r.Err)
						require.NotEmpty(t, r.Certificates) // some send the root of their CA file too
						require.Equal(t, "CN=localhost", r.Certificates[0].Subject)
						require.Equal(t, s.client, r.ClientCertificate)
						if version != 0 {
							require.Equal(t, version, r.Version)
						}
					}
				}
			}
			leavesNothing(t, p, Target{Host: "localhost", Dial: d.Address(0), Upgrade: s.upgrades[0]})
			d.Stop(t) // it has logged everything then
			warned := false
			for line := range strings.Lines(d.Log()) {
				switch {
				case quiet[line], s.own != "" && regexp.MustCompile(s.own).MatchString(line):
				case s.warns != "" && regexp.MustCompile(s.warns).MatchString(line):
					warned = true
				default:
					require.NotRegexp(t, complaint, line)
				}
			}
			require.Equal(t, s.warns != "", warned)
		})
	}
}

// leavesNothing scans a real server and counts goroutines and descriptors.
func leavesNothing(t *testing.T, p *Prober, target Target) {
	t.Helper()
	before, files := runtime.NumGoroutine(), descriptors(t)
	scan := Scanner{Prober: p, Concurrency: 10}
	n := 0
	for _, r := range scan.Scan(t.Context(), func(yield func(Target) bool) {
		for range 50 {
			if !yield(target) {
				return
			}
		}
	}) {
		require.Empty(t, r.Reasons)
		n++
	}
	require.Equal(t, 50, n)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+5 && descriptors(t) <= files+5 }, watchdog, tick,
		"%d goroutines became %d, %d descriptors %d", before, runtime.NumGoroutine(), files, descriptors(t))
}

// A real broker is plain TLS to a probe.
func TestReal_Kafka(t *testing.T) {
	cluster := real.Kafka(t)
	p := &Prober{Roots: cluster.CA().Pool(), Timeout: 30 * time.Second}
	node := cluster.Node(1)
	before := node.Log()
	for range 3 {
		r := p.Probe(t.Context(), Target{Host: "localhost", Dial: node.Address(real.SASLSSL)})
		require.Empty(t, r.Reasons)
		require.NoError(t, r.Err)
		require.NotEmpty(t, r.Certificates)
		require.Equal(t, NotRequested, r.ClientCertificate)
	}
	leavesNothing(t, p, Target{Host: "localhost", Dial: node.Address(real.SASLSSL)})

	r := p.Probe(t.Context(), Target{Host: "localhost", Dial: node.Address(real.SSL)})
	require.Equal(t, []Code{ClientCertificateRequired}, codes(r))
	require.Equal(t, Required, r.ClientCertificate)
	require.NotEmpty(t, r.Certificates)

	for line := range strings.Lines(strings.TrimPrefix(node.Log(), before)) {
		require.NotRegexp(t, complaint, line)
	}
}
