package dial

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

const scramLogin = "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"alice\" password=\"pw\";\n"

func TestParseProperties(t *testing.T) {
	tests := map[string]struct {
		text string
		want func(t *testing.T, cfg Config)
	}{
		"nothing": {"", func(t *testing.T, cfg Config) {
			require.Equal(t, Config{Protocol: Plaintext}, cfg)
		}},
		"brokers, with what Java lets pass": {"bootstrap.servers = kafka1:9092 ,, PLAINTEXT://kafka2:9093,[::1]:9094\n", func(t *testing.T, cfg Config) {
			require.Equal(t, []string{"kafka1:9092", "kafka2:9093", "[::1]:9094"}, cfg.Brokers)
		}},
		"white space that Java trims, around a password too": {
			"security.protocol = SASL_PLAINTEXT\t \nsasl.mechanism=OAUTHBEARER\\u0001\nsasl.oauthbearer.client.credentials.client.id=me\n" +
				"sasl.oauthbearer.client.credentials.client.secret= pw \nsasl.oauthbearer.token.endpoint.url=http://x\n" +
				"sasl.jaas.config=x.OAuthBearerLoginModule required;\n",
			func(t *testing.T, cfg Config) { require.Equal(t, "pw", cfg.OAuth.ClientSecret.Reveal()) },
		},
		"general": {"client.id=me\nrequest.timeout.ms=2500\n", func(t *testing.T, cfg Config) {
			require.Equal(t, "me", cfg.ClientID)
			require.Equal(t, 2500*time.Millisecond, cfg.RequestTimeout)
		}},
		"SCRAM": {"security.protocol=sasl_plaintext\nsasl.mechanism=SCRAM-SHA-512\n" + scramLogin, func(t *testing.T, cfg Config) {
			require.Equal(t, SASLPlaintext, cfg.Protocol)
			require.Equal(t, ScramSHA512, cfg.Mechanism)
			require.Equal(t, "alice", cfg.Username)
			require.Equal(t, "pw", cfg.Password.Reveal())
			require.False(t, cfg.DelegationToken)
			require.Nil(t, cfg.TLS)
		}},
		"a password that needs every escape there is": {
			"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n" +
				`sasl.jaas.config=x.PlainLoginModule required username="alice" password="a\\"b\\\\c\u0020;#=";` + "\n",
			func(t *testing.T, cfg Config) { require.Equal(t, `a"b\c ;#=`, cfg.Password.Reveal()) },
		},
		"a delegation token": {
			"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\n" + strings.Replace(scramLogin, ";", ` tokenauth="true";`, 1),
			func(t *testing.T, cfg Config) { require.True(t, cfg.DelegationToken) },
		},
		"PLAIN by the module of SCRAM, which Java takes": {
			"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n" + scramLogin,
			func(t *testing.T, cfg Config) { require.Equal(t, "pw", cfg.Password.Reveal()) },
		},
		"OAUTHBEARER, keys of 4.1": {
			`security.protocol=SASL_PLAINTEXT
sasl.mechanism=OAUTHBEARER
sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required extension_logicalCluster="lkc-1";
sasl.oauthbearer.token.endpoint.url=https://idp.example/token
sasl.oauthbearer.client.credentials.client.id=me
sasl.oauthbearer.client.credentials.client.secret=pw
sasl.oauthbearer.scope=a b
sasl.oauthbearer.jwt.retriever.class=org.apache.kafka.common.security.oauthbearer.ClientCredentialsJwtRetriever
`, func(t *testing.T, cfg Config) {
				require.True(t, cfg.OAuth.ClientSecret.Equal(secret("pw")))
				cfg.OAuth.ClientSecret = holdfast.Secret{}
				require.Equal(t, OAuth{
					TokenURL: "https://idp.example/token", ClientID: "me", Scopes: []string{"a", "b"},
					Extensions: map[string]string{"logicalCluster": "lkc-1"}, RawCredentials: true,
				}, cfg.OAuth)
				require.Empty(t, cfg.Ignored)
			}},
		"OAUTHBEARER, as before": {
			`security.protocol=SASL_PLAINTEXT
sasl.mechanism=OAUTHBEARER
sasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler
sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="me" clientSecret="pw" scope="a";
sasl.oauthbearer.token.endpoint.url=http://idp.example/token
sasl.oauthbearer.header.urlencode=true
`, func(t *testing.T, cfg Config) {
				require.Equal(t, "me", cfg.OAuth.ClientID)
				require.Equal(t, "pw", cfg.OAuth.ClientSecret.Reveal())
				require.Equal(t, []string{"a"}, cfg.OAuth.Scopes)
				require.False(t, cfg.OAuth.RawCredentials)
				require.Empty(t, cfg.Ignored)
			}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { tt.want(t, parse(t, tt.text)) })
	}
}

func TestParseProperties_RejectsWithLineAndWhatIsAllowed(t *testing.T) {
	const sasl = "security.protocol=SASL_PLAINTEXT\n"
	const oauth = sasl + "sasl.mechanism=OAUTHBEARER\nsasl.jaas.config=x.OAuthBearerLoginModule required clientId=\"me\" clientSecret=\"pw\";\n"
	tests := map[string]struct{ text, want string }{
		"protocol":  {"security.protocol=TLS\n", `f:1: security.protocol: "TLS"; allowed: PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL`},
		"brokers":   {"bootstrap.servers=a:1,b,c:0\n", "f:1: bootstrap.servers: \"b\" is not host:port (an IPv6 address goes in brackets)\nf:1: bootstrap.servers: \"c:0\": port \"0\"; allowed: 1 to 65535"},
		"timeout":   {"request.timeout.ms=soon\n", `f:1: request.timeout.ms: "soon" is not a whole number of milliseconds`},
		"timeout 2": {"request.timeout.ms=5\n", `f:1: request.timeout.ms: "5"; allowed: 100 to 900000`},
		"client id": {"client.id=" + strings.Repeat("x", 257), "f:1: client.id: 257 bytes; allowed: up to 256"},
		"mechanism": {sasl + "sasl.mechanism=plain\n" + scramLogin, `f:2: sasl.mechanism: "plain"; allowed: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER`},
		"Kerberos":  {sasl + "sasl.mechanism=GSSAPI\n", "f:2: sasl.mechanism: GSSAPI (Kerberos) is not supported; allowed: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"},
		"Kerberos by default": {
			sasl + "sasl.kerberos.service.name=kafka\n",
			"f: sasl.mechanism: not set, which in Kafka means GSSAPI (Kerberos), and that is not supported; allowed: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER",
		},
		"no JAAS":     {sasl + "sasl.mechanism=PLAIN\n", "f: sasl.jaas.config: not set; PLAIN needs it (a file named by java.security.auth.login.config is not read)"},
		"broken JAAS": {sasl + "sasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required username=\"a\" password=\"b\"\n", `f:3: sasl.jaas.config: expected ";" at the end of the login module, found the end`},
		"other module": {
			sasl + "sasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config=x.PlainLoginModule required username=\"a\" password=\"b\";\n",
			"f:3: sasl.jaas.config: the login module is not one for SCRAM-SHA-256; allowed: ScramLoginModule",
		},
		"no password": {
			sasl + "sasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required user=\"a\";\n",
			"f:3: sasl.jaas.config: option username is not set or empty\nf:3: sasl.jaas.config: option password is not set or empty",
		},
		"Java code": {
			sasl + "sasl.mechanism=SCRAM-SHA-256\n" + scramLogin + "sasl.client.callback.handler.class=com.example.Handler\nsasl.login.class=com.example.Login\n",
			"f:4: sasl.client.callback.handler.class: \"com.example.Handler\": Java classes cannot be run here; allowed: org.apache.kafka.common.security.authenticator.SaslClientCallbackHandler\n" +
				"f:5: sasl.login.class: \"com.example.Login\": Java classes cannot be run here; allowed: org.apache.kafka.common.security.authenticator.DefaultLogin",
		},
		"token endpoint": {oauth, "f: sasl.oauthbearer.token.endpoint.url: empty; OAUTHBEARER needs the token endpoint"},
		"token from a file": {
			oauth + "sasl.oauthbearer.token.endpoint.url=file:///run/token\n",
			"f:4: sasl.oauthbearer.token.endpoint.url: a file: URL, that is a token from a file, is not supported; allowed: http, https",
		},
		"password in the URL": {
			oauth + "sasl.oauthbearer.token.endpoint.url=https://me:" + "pw@idp.example/\n",
			"f:4: sasl.oauthbearer.token.endpoint.url: holds a user name; set the client id and secret instead",
		},
		"JWT bearer": {
			oauth + "sasl.oauthbearer.token.endpoint.url=https://idp.example/\nsasl.oauthbearer.assertion.private.key.file=/k\n",
			"f:5: sasl.oauthbearer.assertion.private.key.file: the JWT bearer grant is not supported; allowed: client credentials",
		},
		"urlencode": {
			oauth + "sasl.oauthbearer.token.endpoint.url=https://idp.example/\nsasl.oauthbearer.header.urlencode=yes\n",
			`f:5: sasl.oauthbearer.header.urlencode: "yes"; allowed: true, false`,
		},
		"no secret": {
			sasl + "sasl.mechanism=OAUTHBEARER\nsasl.jaas.config=x.OAuthBearerLoginModule required;\nsasl.oauthbearer.token.endpoint.url=https://idp.example/\n",
			"f: sasl.oauthbearer.client.credentials.client.id: not set, and neither is the option clientId of sasl.jaas.config\n" +
				"f: sasl.oauthbearer.client.credentials.client.secret: not set, and neither is the option clientSecret of sasl.jaas.config",
		},
		"TLS": {
			"security.protocol=SSL\nssl.enabled.protocols=TLSv1.1,TLSv1\nssl.endpoint.identification.algorithm=LDAPS\nssl.engine.factory.class=com.example.F\n",
			"f:2: ssl.enabled.protocols: leaves no version; allowed: TLSv1.2, TLSv1.3\n" +
				"f:3: ssl.endpoint.identification.algorithm: \"LDAPS\"; allowed: https, or empty for no check of the host name\n" +
				"f:4: ssl.engine.factory.class: \"com.example.F\": Java classes cannot be run here; remove it",
		},
		"TLS versions": {
			"security.protocol=SSL\nssl.enabled.protocols=TLSv1.3,TLSv9\nssl.protocol=TLSv1.2\n",
			"f:2: ssl.enabled.protocols: \"TLSv9\"; allowed: TLSv1.2, TLSv1.3\nf:3: ssl.protocol: \"TLSv1.2\", but ssl.enabled.protocols begins with TLS 1.3",
		},
		"old ssl.protocol": {"security.protocol=SSL\nssl.protocol=TLSv1.1\n", `f:2: ssl.protocol: "TLSv1.1"; allowed: TLS, TLSv1.2, TLSv1.3`},
		"ciphers":          {"security.protocol=SSL\nssl.cipher.suites=TLS_RSA_WITH_RC4_128_MD5\n", "f:2: ssl.cipher.suites: names no cipher suite that is available; leave it out for sound ones"},
		"two truststores":  {"security.protocol=SSL\nssl.truststore.location=/a\nssl.truststore.certificates=b\n", "f:3: ssl.truststore.certificates: set as well as ssl.truststore.location; allowed: one of them"},
		"no such file":     {"security.protocol=SSL\nssl.truststore.location=/no/such/file\n", `f:2: ssl.truststore.location: read "/no/such/file": no such file or directory`},
		"type":             {"security.protocol=SSL\nssl.truststore.location=/etc/hostname\nssl.truststore.type=BKS\n", `f:3: ssl.truststore.type: "BKS"; allowed: JKS, PKCS12, PEM`},
		"inline without type": {
			"security.protocol=SSL\nssl.truststore.certificates=-----BEGIN CERTIFICATE-----\n", "f:2: ssl.truststore.certificates: needs ssl.truststore.type=PEM",
		},
		"key without chain": {"security.protocol=SSL\nssl.keystore.key=x\n", "f:2: ssl.keystore.key: set without ssl.keystore.certificate.chain"},
		"chain without key": {"security.protocol=SSL\nssl.keystore.certificate.chain=x\n", "f:2: ssl.keystore.certificate.chain: set without ssl.keystore.key"},
		"provider": {
			"config.providers=vaulted\nclient.id=${vaulted:path:key}\n",
			"f:2: client.id: has a ${vaulted:…} reference, and config providers are not run here; write the value, or resolve it before (ParseOptions.Resolve)",
		},
		"provider that nothing declares": {
			sasl + "sasl.mechanism=SCRAM-SHA-256\n" + strings.Replace(scramLogin, "pw", "${env:PW}", 1),
			"f:3: sasl.jaas.config: has a ${env:…} reference, but no config.providers declares \"env\"; write the value, or resolve it before (ParseOptions.Resolve)",
		},
		"broken escape": {"client.id=\\u12\n", "f:1: "},
		"many at once": {
			"security.protocol=SASL_SSL\nclient.id=${env:X}\nssl.protocol=SSLv3\nsasl.mechanism=GSSAPI\n",
			"f:2: client.id: has a ${env:…} reference, but no config.providers declares \"env\"; write the value, or resolve it before (ParseOptions.Resolve)\n" +
				"f:3: ssl.protocol: \"SSLv3\"; allowed: TLS, TLSv1.2, TLSv1.3\n" +
				"f:4: sasl.mechanism: GSSAPI (Kerberos) is not supported; allowed: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg, err := ParseProperties(t.Context(), "f", []byte(tt.text), ParseOptions{})
			require.Error(t, err)
			require.Equal(t, Config{}, cfg)
			var ps holdfast.Problems
			require.ErrorAs(t, err, &ps)
			if strings.HasSuffix(tt.want, ": ") {
				require.True(t, strings.HasPrefix(err.Error(), tt.want), err)
				return
			}
			require.Equal(t, tt.want, err.Error())
		})
	}
}

// Nothing that the file says is dropped in silence, and what its author may
// count on for security is marked.
func TestParseProperties_ListsWhatHasNoEffect(t *testing.T) {
	ignored := func(text string) []Ignored {
		t.Helper()
		return parse(t, text).Ignored
	}
	require.Equal(t, []Ignored{
		{"acks", 1, "is for producing or consuming records", false},
		{"sasl.mechanism", 2, "security.protocol is PLAINTEXT, which has no SASL", true},
		{"ssl.truststore.location", 3, "security.protocol is PLAINTEXT, which has no TLS", true},
		{"client.dns.lookup", 4, "all addresses of a name are tried (use_all_dns_ips)", false},
		{"retries", 5, "connections are timed by this program's own limits", false},
		{"metric.reporters", 6, "is for metrics of a Java client", false},
		{"sasl.machanism", 7, "security.protocol is PLAINTEXT, which has no SASL", true},
		{"my.own.key", 8, "is not a key that Kafka's clients know", false},
		{"config.providers", 9, "config providers are not run; references are refused or resolved by the caller", false},
		{"bootstrap.controllers", 10, "is not supported; brokers are used", false},
	}, ignored(`acks=all
sasl.mechanism=PLAIN
ssl.truststore.location=/x
client.dns.lookup=use_all_dns_ips
retries=3
metric.reporters=x
sasl.machanism=PLAIN
my.own.key=1
config.providers=file
bootstrap.controllers=x:1
`))
	require.Equal(t, []Ignored{
		{"security.protocol", 1, "line 6 sets it again, and the last one counts", true},
		{"ssl.provider", 2, "chooses code of the Java platform; Go's own is used", true},
		{"ssl.enabled.protocols", 3, "TLSv1.1 is not offered, being broken; TLS 1.2 and newer are", true},
		{"ssl.cipher.suites", 4, `"TLS_NOSUCH" not available; the others are offered`, true},
		{"ssl.keystore.password", 5, "there is no ssl.keystore.location or ssl.keystore.key", true},
		{"ssl.trustore.location", 7, "is not a key that Kafka's clients know; did you mean ssl.truststore.location?", true},
	}, ignored(`security.protocol=PLAINTEXT
ssl.provider=SunJSSE
ssl.enabled.protocols=TLSv1.2,TLSv1.1
ssl.cipher.suites=TLS_NOSUCH,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
ssl.keystore.password=x
security.protocol=SSL
ssl.trustore.location=/x
`))
	// A misspelled key, whatever the mechanism.
	require.Equal(t, []Ignored{
		{"Sasl.Login.Class", 3, "is not a key that Kafka's clients know; did you mean sasl.login.class?", true},
		{"sasl.oauthbearer.scopes", 4, "is not a key that Kafka's clients know; did you mean sasl.oauthbearer.scope?", true},
	}, ignored(`security.protocol=SASL_PLAINTEXT
sasl.mechanism=OAUTHBEARER
Sasl.Login.Class=x
sasl.oauthbearer.scopes=x
sasl.oauthbearer.token.endpoint.url=https://idp.example/
sasl.jaas.config=x.OAuthBearerLoginModule required clientId="me" clientSecret="pw";
`))
	require.Equal(t, []Ignored{
		{"security.protcol", 1, "is not a key that Kafka's clients know; did you mean security.protocol?", true},
	}, ignored("security.protcol=SASL_SSL\n"))
	// An editor's byte order mark makes it another key, and the protocol PLAINTEXT.
	require.Equal(t, []Ignored{
		{"(a key that is not shown)", 1, "follows a byte order mark, which Java takes for a part of the key; save the file without", true},
	}, ignored("\xef\xbb\xbfsecurity.protocol=SSL\r\n"))
	// The backslash that continues the line is missing.
	require.Equal(t, []Ignored{
		{"sasl.kerberos.service.name", 4, "is for Kerberos", true},
		{"sasl.login.refresh.buffer.seconds", 5, "tokens are fetched when a connection needs one, within the timeout for connecting", true},
		{"sasl.oauthbearer.expected.audience", 6, "is for checking tokens, which the broker does", true},
		{"password", 7, "looks like a part of sasl.jaas.config whose line before does not end in a backslash", true},
		{"(a key that is not shown)", 8, "is not a key that Kafka's clients know", false},
	}, ignored("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\n"+scramLogin+
		"sasl.kerberos.service.name=kafka\nsasl.login.refresh.buffer.seconds=1\nsasl.oauthbearer.expected.audience=x\npassword=\"x\";\n\"x\";\n"))
	require.Equal(t, "line 1: acks: is for producing or consuming records", ignored("acks=1")[0].String())
}

func TestParseProperties_JAASOptionsWithoutEffect(t *testing.T) {
	cfg := parse(t, "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"+
		`sasl.jaas.config=x.PlainLoginModule required username="a" password="b" tokenauth="true" "odd \u0041"="x";`)
	require.Equal(t, []Ignored{
		{"sasl.jaas.config", 3, "option tokenauth is not used with PLAIN", true},
		{"sasl.jaas.config", 3, "option (a key that is not shown) is not used with PLAIN", true},
	}, cfg.Ignored)
}

func TestParseProperties_ResolvesReferences(t *testing.T) {
	var asked []string
	opts := ParseOptions{Resolve: func(_ context.Context, ref string) (holdfast.Secret, error) {
		asked = append(asked, ref)
		if ref == "env:NONE" {
			return holdfast.Secret{}, errors.New("not set")
		}
		return secret("<" + ref + ">"), nil
	}}
	cfg, err := ParseProperties(t.Context(), "f", []byte("config.providers=secrets\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\n"+
		strings.Replace(scramLogin, "pw", "a${secrets:/p:k}b${file:/f:k}${other:x}", 1)+"value.serializer=${env:Y}\n"), opts)
	require.NoError(t, err)
	require.Equal(t, "a<secrets:/p:k>b<file:/f:k>${other:x}", cfg.Password.Reveal())
	require.Equal(t, []string{"secrets:/p:k", "file:/f:k"}, asked, "only what is used, and only what Kafka would replace")

	_, err = ParseProperties(t.Context(), "f", []byte("client.id=${env:NONE}\nsecurity.protocol=${env:"+canary+"}\n"), opts)
	require.EqualError(t, err, "f:1: client.id: resolve the ${env:…} reference: not set\n"+
		"f:2: security.protocol: the value that the reference resolves to; allowed: PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL")
}

// What a secret store answered can be the wrong secret in the wrong place.
func TestParseProperties_ShowsNothingThatWasResolved(t *testing.T) {
	opts := ParseOptions{Resolve: func(context.Context, string) (holdfast.Secret, error) { return secret(canary), nil }}
	const ref = "${env:X}"
	for _, text := range []string{
		"bootstrap.servers=" + ref, "security.protocol=" + ref, "client.id=" + ref + "\nrequest.timeout.ms=" + ref,
		"security.protocol=SSL\nssl.protocol=" + ref + "\nssl.enabled.protocols=TLSv1.3," + ref + "\nssl.engine.factory.class=" + ref +
			"\nssl.endpoint.identification.algorithm=" + ref + "\nssl.truststore.location=" + ref + "\nssl.cipher.suites=" + ref,
		"security.protocol=SASL_SSL\nsasl.mechanism=" + ref, "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.login.class=" + ref + "\nsasl.jaas.config=" + ref,
		"security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=" + ref +
			"\nsasl.jaas.config=x.OAuthBearerLoginModule required clientId=\"a\" ssl.protocol='" + ref + "' ssl.truststore.location='" + ref +
			"' ssl.enabled.protocols='" + ref + "';",
	} {
		_, err := ParseProperties(t.Context(), "f", []byte(text), opts)
		require.Error(t, err)
		noCanary(t, prints(t, err))
	}
	cfg, err := ParseProperties(t.Context(), "f", []byte("security.protocol=SSL\nssl.cipher.suites=TLS_AES_128_GCM_SHA256,"+ref+"\n"), opts)
	require.NoError(t, err)
	require.NotEmpty(t, cfg.Ignored)
	noCanary(t, prints(t, cfg.Ignored))
}

func TestParseProperties_ReadsFilesThroughTheOption(t *testing.T) {
	ca := authority(t)
	var names []string
	cfg, err := ParseProperties(t.Context(), "f", []byte("security.protocol=SSL\nssl.truststore.location=ca.pem\n"), ParseOptions{
		ReadFile: func(name string) ([]byte, error) {
			names = append(names, name)
			return ca.PEM(), nil
		},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"ca.pem"}, names)
	require.True(t, cfg.TLS.RootCAs.Equal(ca.Pool()))

	_, err = ParseProperties(t.Context(), "f", []byte("security.protocol=SSL\nssl.truststore.location=ca.pem\n"), ParseOptions{
		ReadFile: func(string) ([]byte, error) { return nil, os.ErrPermission },
	})
	require.EqualError(t, err, `f:2: ssl.truststore.location: read "ca.pem": permission denied`)
	_, err = ParseProperties(t.Context(), "f", []byte("security.protocol=SSL\nssl.truststore.location=ca.pem\n"), ParseOptions{
		ReadFile: func(string) ([]byte, error) { return nil, nil },
	})
	require.ErrorContains(t, err, "f:2: ssl.truststore.location: ")
}

// AbstractConfig resolves first, and ConfigDef trims what comes of it.
func TestParseProperties_TrimsWhatWasResolved(t *testing.T) {
	opts := ParseOptions{Resolve: func(context.Context, string) (holdfast.Secret, error) { return secret("me\n"), nil }}
	cfg, err := ParseProperties(t.Context(), "f", []byte("client.id=${env:ME}\n"), opts)
	require.NoError(t, err)
	require.Equal(t, "me", cfg.ClientID)
}

func TestShownKey(t *testing.T) {
	require.Equal(t, "ssl.truststore.location", shownKey("ssl.truststore.location"))
	for _, key := range []string{canary, "pw", "a.b c", "a." + strings.Repeat("b", 100)} {
		require.Equal(t, "(a key that is not shown)", shownKey(key))
	}
}

// ConfigOrJaas: where a key and an option are both there, the key counts.
func TestParseProperties_KeysComeBeforeJAASOptions(t *testing.T) {
	cfg := parse(t, `security.protocol=SASL_PLAINTEXT
sasl.mechanism=OAUTHBEARER
sasl.oauthbearer.token.endpoint.url=https://idp.example/
sasl.oauthbearer.client.credentials.client.id=key
sasl.oauthbearer.client.credentials.client.secret=key
sasl.oauthbearer.scope=same
sasl.jaas.config=x.OAuthBearerLoginModule required clientId="option" clientSecret="option" scope="same" extension_="x";
`)
	require.Equal(t, "key", cfg.OAuth.ClientID)
	require.Equal(t, "key", cfg.OAuth.ClientSecret.Reveal())
	require.Equal(t, []string{"same"}, cfg.OAuth.Scopes)
	require.Empty(t, cfg.OAuth.Extensions)
	require.Equal(t, []Ignored{
		{jaasKey, 7, "option clientId, because sasl.oauthbearer.client.credentials.client.id is set too", true},
		{jaasKey, 7, "option clientSecret, because sasl.oauthbearer.client.credentials.client.secret is set too", true},
		{jaasKey, 7, "option (a key that is not shown) is not used with OAUTHBEARER", true},
	}, cfg.Ignored)
}
