package certstore_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
	"github.com/holdfast-sec/holdfast/tlsprobe"
	"github.com/holdfast-sec/holdfast/tlsprobe/certstore"
)

var (
	now   = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	right = holdfast.NewSecret("store-pw")
	wrong = holdfast.NewSecret("canary-password")
)

func options(passwords ...holdfast.Secret) certstore.Options {
	return certstore.Options{
		Now:       func() time.Time { return now },
		Passwords: func(string) []holdfast.Secret { return passwords },
	}
}

// line is what a test says of a Found, in one line.
func line(f certstore.Found) string {
	var names []string
	for _, c := range f.Certificates {
		names = append(names, strings.TrimPrefix(c.Subject, "CN="))
	}
	s := strings.TrimSpace(fmt.Sprintf("%s %s [%s] %s %s %s", f.Path, f.Format, f.Alias, f.Role, f.Integrity, strings.Join(names, "<")))
	for _, kind := range []error{certstore.ErrPassword, certstore.ErrCorrupt, certstore.ErrUnsupported, certstore.ErrLimit, fs.ErrNotExist, fs.ErrPermission} {
		if errors.Is(f.Err, kind) {
			s += " !" + kind.Error()
		}
	}
	return strings.Join(strings.Fields(s), " ")
}

func read(t *testing.T, fsys fs.FS, opts certstore.Options) []string {
	t.Helper()
	var lines []string
	for f := range certstore.Read(t.Context(), fsys, opts) {
		lines = append(lines, line(f))
		check(t, f)
	}
	return lines
}

// check is what holds for every Found.
func check(t *testing.T, f certstore.Found) {
	t.Helper()
	out, err := json.Marshal(f)
	require.NoError(t, err)
	for _, secret := range []string{"canary", "PRIVATE KEY", "store-pw"} {
		require.NotContains(t, string(out), secret)
		require.NotContains(t, fmt.Sprintf("%+v", f), secret)
	}
	require.NotContains(t, string(out), "0001-01-01")
	require.Equal(t, now, f.At)
	require.True(t, f.Err != nil || len(f.Certificates) > 0 || len(f.Notes) > 0, "a Found that says nothing: %s", line(f))
	require.Equal(t, len(f.Certificates) > 0 || f.Err != nil || f.Integrity == certstore.Unchecked, len(f.Check(tlsprobe.Policy{})) > 0)
}

// minted are certificates and stores of one CA.
type minted struct {
	ca    *pki.CA
	cert  *pki.Cert
	store map[string][]byte
}

func mint(t testing.TB) minted {
	t.Helper()
	ca, err := pki.NewCA("root")
	require.NoError(t, err)
	inter, err := ca.Intermediate("inter", pki.CAOptions{})
	require.NoError(t, err)
	cert, err := inter.Issue(pki.Leaf{CommonName: "leaf", NotBefore: now.AddDate(0, -6, 0), NotAfter: now.AddDate(0, 6, 0)})
	require.NoError(t, err)
	m := minted{ca: ca, cert: cert, store: map[string][]byte{}}
	put := func(name string, data []byte, err error) {
		require.NoError(t, err)
		m.store[name] = data
	}
	key, err := cert.KeyPEM()
	put("key.pem", key, err)
	keystore, err := cert.KeystorePEM()
	put("keystore.pem", keystore, err)
	jks, err := cert.JKS("me", right, holdfast.NewSecret("canary-key"))
	put("store.jks", jks, err)
	trust, err := ca.TruststoreJKS("ca", right)
	put("trust.jks", trust, err)
	p12, err := cert.PKCS12(right)
	put("store.p12", p12, err)
	ptrust, err := ca.TruststorePKCS12("ca", right)
	put("trust.p12", ptrust, err)
	put("chain.pem", cert.ChainPEM(), nil)
	put("ca.pem", ca.PEM(), nil)
	put("leaf.der", cert.Chain[0].Raw, nil)
	return m
}

func tree(files map[string][]byte) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: data}
	}
	return fsys
}

func TestRead_ListsStoresOfEveryKind(t *testing.T) {
	m := mint(t)
	m.store["notes.txt"] = []byte("nothing here")
	m.store["zero.bin"] = make([]byte, 2048)
	m.store["deep/er/ca.crt"] = m.store["ca.pem"]
	picked := options()
	picked.Globs = []string{"key.pem"}
	require.Equal(t, []string{"key.pem pem [] key"}, read(t, tree(m.store), picked))
	require.Equal(t, []string{
		"ca.pem pem [] root",
		"chain.pem pem [] leaf<inter",
		"deep/er/ca.crt pem [] root",
		"keystore.pem pem [] key leaf<inter",
		"leaf.der der [] leaf",
		"store.jks jks [me] key verified leaf<inter",
		"store.p12 pkcs12 [1] key verified leaf<inter",
		"trust.jks jks [ca] trusted verified root",
		"trust.p12 pkcs12 [ca] trusted verified root",
	}, read(t, tree(m.store), options(wrong, right)))
}

// TestRead_ListsTheRestBesideAWrongPassword: what a JKS shows without its password
// is listed and marked, and other files are not touched by it.
func TestRead_ListsTheRestBesideAWrongPassword(t *testing.T) {
	m := mint(t)
	files := map[string][]byte{"a.jks": m.store["store.jks"], "b.p12": m.store["store.p12"], "c.pem": m.store["ca.pem"], "d.p12": m.store["trust.p12"]}
	require.Equal(t, []string{
		"a.jks jks [] wrong-password !wrong password",
		"a.jks jks [me] key wrong-password leaf<inter",
		"b.p12 pkcs12 [] wrong-password !wrong password",
		"b.p12 pkcs12 [1] key wrong-password",
		"c.pem pem [] root",
		"d.p12 pkcs12 [] wrong-password !wrong password",
	}, read(t, tree(files), options(wrong)))
	require.Equal(t, []string{
		"a.jks jks [] unchecked",
		"a.jks jks [me] key unchecked leaf<inter",
		"b.p12 pkcs12 [] unchecked !wrong password",
		"b.p12 pkcs12 [1] key unchecked",
		"c.pem pem [] root",
		"d.p12 pkcs12 [] unchecked !wrong password",
	}, read(t, tree(files), options()))
}

// TestRead_ABundleSplitAndJoinedListsTheSame is a law: it does not matter how many
// files certificates are in.
func TestRead_ABundleSplitAndJoinedListsTheSame(t *testing.T) {
	var bundle []byte
	split := map[string][]byte{}
	for i := range 12 {
		ca, err := pki.NewCA(fmt.Sprintf("root %02d", i))
		require.NoError(t, err)
		bundle = append(append(bundle, fmt.Sprintf("# root %d: text\n", i)...), ca.PEM()...)
		split[fmt.Sprintf("%02d.pem", i)] = ca.PEM()
	}
	fingerprints := func(files map[string][]byte) (all []string) {
		for f := range certstore.Read(t.Context(), tree(files), options()) {
			require.NoError(t, f.Err)
			for _, c := range f.Certificates {
				all = append(all, c.SHA256)
			}
		}
		return all
	}
	want := fingerprints(split)
	require.Len(t, want, 12)
	require.Equal(t, want, fingerprints(map[string][]byte{"bundle.pem": bundle}))
	joined := strings.ReplaceAll(string(bundle), "\n", "\r\n")
	require.Equal(t, want, fingerprints(map[string][]byte{"bundle.pem": []byte(joined)}))
}

func TestRead_PicksByGlob(t *testing.T) {
	m := mint(t)
	ca := m.store["ca.pem"]
	fsys := tree(map[string][]byte{
		"etc/a.pem": ca, "etc/b.txt": []byte("no"), "etc/x/a.pem": ca, "etc/x/y/a.pem": ca, "etc/x/y/z": ca, "a.pem": ca, "..data/a.pem": ca, "..a.pem": ca,
	})
	for globs, want := range map[string][]string{
		"":                          {"a.pem", "etc/a.pem", "etc/x/a.pem", "etc/x/y/a.pem", "etc/x/y/z"},
		"etc/*.pem":                 {"etc/a.pem"},
		"etc/**/*.pem":              {"etc/a.pem", "etc/x/a.pem", "etc/x/y/a.pem"},
		"**/a.pem":                  {"a.pem", "etc/a.pem", "etc/x/a.pem", "etc/x/y/a.pem"},
		"etc/**/y/**":               {"etc/x/y/a.pem", "etc/x/y/z"},
		"etc/*/*/z,a.pem":           {"a.pem", "etc/x/y/z"},
		"..data/a.pem":              {"..data/a.pem"},
		"none/*.pem":                nil,
		"**/**/**/**/**/**/**/q**q": nil,
	} {
		opts := options()
		if globs != "" {
			opts.Globs = strings.Split(globs, ",")
		}
		var got []string
		for f := range certstore.Read(t.Context(), fsys, opts) {
			require.NoError(t, f.Err)
			got = append(got, f.Path)
		}
		require.Equal(t, want, got, globs)
	}
	// What was asked for is named where it is not there, or is none.
	opts := options()
	opts.Globs, opts.Base = []string{"etc/b.txt", "etc/none.pem", "none", "etc/x"}, "/srv"
	require.Equal(t, []string{
		"/srv/etc/b.txt [] !corrupt", "/srv/etc/x []", "/srv/etc/none.pem [] !file does not exist", "/srv/none [] !file does not exist",
	}, read(t, fsys, opts))

	opts.Globs = []string{"/etc/*.pem", "a[", "../x", "a/./b", "ok/*"}
	err := opts.Validate()
	for _, bad := range []string{`"/etc/*.pem": want a path`, `"a[": syntax error`, `"../x": want`, `"a/./b": want`} {
		require.ErrorContains(t, err, bad)
	}
	require.NotContains(t, err.Error(), "ok")
	found := slices.Collect(certstore.Read(t.Context(), fsys, opts))
	require.Len(t, found, 1)
	require.Equal(t, err, found[0].Err)
}

// TestRead_PassesOverWhatIsSomethingElse: only what was asked for, or promises
// certificates by its name and is damaged, is worth a word.
func TestRead_PassesOverWhatIsSomethingElse(t *testing.T) {
	m := mint(t)
	files := map[string][]byte{
		"dh.pem":      []byte("-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n"),
		"notes.txt":   []byte("a file begins with -----BEGIN CERTIFICATE----- and so on"),
		"key.der.txt": append([]byte{0x30, 0x82, 0x01, 0x00, 0x02, 0x01, 0x00}, make([]byte, 253)...),
		"index.d.ts":  []byte("export default x"),
		"damaged.jks": m.store["leaf.der"][:100],
		"cut.pem":     m.store["ca.pem"][:200],
	}
	require.Equal(t, []string{"cut.pem pem [] !corrupt", "damaged.jks der [] !corrupt"}, read(t, tree(files), options()))
	opts := options()
	opts.Globs = []string{"*"}
	require.Equal(t, []string{
		"cut.pem pem [] !corrupt", "damaged.jks der [] !corrupt", "dh.pem pem [] !corrupt", "index.d.ts [] !corrupt",
		"key.der.txt der [] !unsupported", "notes.txt pem [] !corrupt",
	}, read(t, tree(files), opts))
}

func TestRead_EndsWithItsContext(t *testing.T) {
	m := mint(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []certstore.Found
	for f := range certstore.Read(ctx, tree(m.store), options(right)) {
		got = append(got, f)
		cancel()
	}
	require.Len(t, got, 2)
	require.ErrorIs(t, got[1].Err, context.Canceled)
	require.Equal(t, "chain.pem", got[1].Path)

	for range certstore.Read(t.Context(), tree(m.store), options(right)) {
		break // yields no more
	}
}

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

func TestRead_FindsWhatKubernetesKeeps(t *testing.T) {
	m := mint(t)
	chain, ca := m.store["chain.pem"], m.store["ca.pem"]
	indented := strings.ReplaceAll(strings.TrimSpace(string(ca)), "\n", "\n    ")
	files := map[string][]byte{
		"kubeconfig": fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: x
preferences: {}
clusters:
- name: prod
  cluster: {server: "https://h:6443", certificate-authority-data: %s}
- {name: byfile, cluster: {certificate-authority: ../k8s/ca.pem}}
- {name: absolute, cluster: {certificate-authority: /srv/ca.pem}}
- {name: outside, cluster: {certificate-authority: /etc/ca.pem}}
- {name: none, cluster: null}
users:
- name: admin
  user: {client-certificate-data: %s, client-key-data: Y2FuYXJ5}
- {name: gone, user: {client-certificate: gone.pem, token: canary}}
- {name: bad, user: {client-certificate-data: "%%%%"}}
`, b64(ca), b64(chain)),
		"null.yaml": []byte("apiVersion: v1\nkind: Config\nclusters: null\nusers: null\n"),
		"ca.pem":    ca,
		"all.yaml": fmt.Appendf(nil, `# comment
---
apiVersion: v1
kind: Secret
metadata: {name: web, namespace: shop}
type: kubernetes.io/tls
data: {tls.crt: %s, tls.key: %s, ca.crt: %s}
---
apiVersion: v1
kind: Secret
metadata: {name: broken, namespace: shop}
type: kubernetes.io/tls
data: {tls.crt: Y2FuYXJ5, tls.key: Y2FuYXJ5}
---
apiVersion: v1
kind: Secret
metadata: {name: kafka}
type: Opaque
data: {keystore.jks: %s, password: Y2FuYXJ5, port: 12}
--- # marker with a comment
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-root-ca.crt, namespace: shop}
data:
  ca.crt: |
    %s
  other: canary
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hook}
webhooks:
- name: a.example.org
  clientConfig: {caBundle: %s, service: {name: x}}
- name: b.example.org
  clientConfig: {caBundle: Cg==}
- name: c.example.org
  clientConfig: {url: "https://x"}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.metrics}
spec: {caBundle: %s, groupPriorityMinimum: 100}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  conversion: {strategy: Webhook, webhook: {clientConfig: {caBundle: %s}, conversionReviewVersions: [v1]}}
  versions: [{name: v1, schema: {default: 0644, more: !!binary aGk=}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {mode: 0644}
`, b64(chain), b64(m.store["key.pem"]), b64(ca), b64(m.store["trust.jks"]), indented, b64(ca), b64(ca), b64(ca)),
		"list.json":     fmt.Appendf(nil, `{"apiVersion":"v1","kind":"List","items":[{"kind":"Secret","metadata":{"name":"s","namespace":"n"},"type":"kubernetes.io/tls","data":{"tls.crt":%q}},{"kind":"Pod","spec":{"x":1}}]}`, b64(chain)),
		"template.yaml": []byte("apiVersion: v1\nkind: {{ .Kind }}\n"),
		"broken.yaml":   []byte("apiVersion: v1\nkind: Secret\ndata: {tls.crt: canary: certificate}\n"),
	}
	opts := options(right)
	opts.Base = "/srv"
	require.Equal(t, []string{
		"/srv/all.yaml manifest [Secret/shop/web ca.crt] trusted root",
		"/srv/all.yaml manifest [Secret/shop/web tls.crt] key leaf<inter",
		"/srv/all.yaml manifest [Secret/shop/broken tls.crt] key !corrupt",
		"/srv/all.yaml manifest [Secret/kafka keystore.jks ca] trusted verified root",
		"/srv/all.yaml manifest [ConfigMap/shop/kube-root-ca.crt ca.crt] trusted root",
		"/srv/all.yaml manifest [ValidatingWebhookConfiguration/hook webhooks[a.example.org].clientConfig.caBundle] trusted root",
		"/srv/all.yaml manifest [ValidatingWebhookConfiguration/hook webhooks[b.example.org].clientConfig.caBundle] trusted",
		"/srv/all.yaml manifest [APIService/v1.metrics spec.caBundle] trusted root",
		"/srv/all.yaml manifest [CustomResourceDefinition/things.example.org spec.conversion.webhook.clientConfig.caBundle] trusted root",
		"/srv/broken.yaml manifest [document 1] !unsupported",
		"/srv/ca.pem pem [] root",
		"/srv/kubeconfig kubeconfig [clusters[prod].certificate-authority-data] trusted root",
		"/srv/kubeconfig kubeconfig [clusters[byfile].certificate-authority] trusted",
		"/srv/kubeconfig kubeconfig [clusters[absolute].certificate-authority] trusted root",
		"/srv/kubeconfig kubeconfig [clusters[outside].certificate-authority] trusted",
		"/srv/kubeconfig kubeconfig [users[admin].client-certificate-data] key leaf<inter",
		"/srv/kubeconfig kubeconfig [users[gone].client-certificate] key !file does not exist",
		"/srv/kubeconfig kubeconfig [users[bad].client-certificate-data] key !corrupt",
		"/srv/list.json manifest [Secret/n/s tls.crt] key leaf<inter",
	}, read(t, tree(files), opts))
}

func TestRead_EndsInDocumentsWithinDocuments(t *testing.T) {
	doc := mint(t).store["ca.pem"]
	for range 5 {
		inner, err := json.Marshal(string(doc))
		require.NoError(t, err)
		doc = fmt.Appendf(nil, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"k":%s}}`, inner)
	}
	require.Equal(t, []string{"f.yaml manifest [" + strings.Repeat("ConfigMap/m k ", 3) + "ConfigMap/m k] !over the limit"}, read(t, tree(map[string][]byte{"f.yaml": doc}), options()))
}

// TestRead_KnowsTheTreeOfK3s: which file is which, and from when on a restart
// renews it.
func TestRead_KnowsTheTreeOfK3s(t *testing.T) {
	m := mint(t) // the leaf ends on 2026-12-01
	soon, err := m.ca.Issue(pki.Leaf{CommonName: "soon", NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(0, 0, 89)})
	require.NoError(t, err)
	secret := fmt.Appendf(nil, `{"metadata":{"name":"k3s-serving"},"type":"kubernetes.io/tls","data":{"tls.crt":%q}}`, b64(m.store["chain.pem"]))
	fsys := tree(map[string][]byte{
		"agent/client-kubelet.crt":               m.store["chain.pem"],
		"agent/client-kubelet.key":               m.store["key.pem"],
		"server/tls/client-ca.crt":               m.store["ca.pem"],
		"server/tls/dynamic-cert.json":           secret,
		"server/tls/etcd/peer-server-client.crt": m.store["chain.pem"],
		"server/tls/serving-kube-apiserver.crt":  soon.ChainPEM(),
		"server/tls/somebody-elses.crt":          m.store["chain.pem"],
	})
	opts := options()
	opts.Base = "/var/lib/rancher/k3s"
	type row struct {
		file, purpose, renews string
		note                  string
	}
	var got []row
	for f := range certstore.Read(t.Context(), fsys, opts) {
		require.NoError(t, f.Err)
		r := row{file: strings.TrimPrefix(f.Path, opts.Base+"/"), purpose: f.Purpose}
		if !f.RenewsFrom.IsZero() {
			r.renews = f.RenewsFrom.Format(time.DateOnly)
		}
		if len(f.Notes) > 0 {
			r.note, _, _ = strings.Cut(f.Notes[0], ";")
		}
		got = append(got, r)
	}
	const later = "k3s renews it when it restarts from 2026-09-02 on"
	require.Equal(t, []row{
		{"agent/client-kubelet.crt", "client certificate of the kubelet", "2026-09-02", later},
		{"server/tls/client-ca.crt", "CA of client certificates", "", "k3s does not renew its CAs: `k3s certificate rotate-ca` does"},
		{"server/tls/dynamic-cert.json", "serving certificate of the supervisor and API port (6443)", "2026-09-02", later},
		{"server/tls/etcd/peer-server-client.crt", "certificate of etcd towards its peers", "2026-09-02", later},
		{"server/tls/serving-kube-apiserver.crt", "serving certificate of kube-apiserver", "2026-05-31", "k3s renews it when it restarts now"},
		{"server/tls/somebody-elses.crt", "", "", ""},
	}, got)
}

// cluster is a Lister in memory.
type cluster []certstore.Object

func (c cluster) List(context.Context) iter.Seq2[certstore.Object, error] {
	return func(yield func(certstore.Object, error) bool) {
		for i, o := range c {
			if i == 1 && !yield(certstore.Object{}, errors.New("secrets is forbidden in namespace x")) || !yield(o, nil) {
				return
			}
		}
	}
}

func TestReadObjects_ListsSecretsAndConfigMaps(t *testing.T) {
	m := mint(t)
	c := cluster{
		{Kind: "Secret", Namespace: "shop", Name: "web", Type: "kubernetes.io/tls", Data: map[string][]byte{"tls.crt": m.store["chain.pem"], "tls.key": m.store["key.pem"]}},
		{Kind: "Secret", Namespace: "shop", Name: "bare", Type: "kubernetes.io/tls", Data: map[string][]byte{"tls.crt": []byte("canary")}},
		{Kind: "Secret", Namespace: "shop", Name: "kafka", Data: map[string][]byte{"keystore.p12": m.store["store.p12"], "password": []byte("canary")}},
		{Kind: "ConfigMap", Namespace: "shop", Name: "trust", Data: map[string][]byte{"ca.crt": m.store["ca.pem"]}},
	}
	var got []string
	for f := range certstore.ReadObjects(t.Context(), c, options(right)) {
		got = append(got, line(f))
		check(t, f)
	}
	require.Equal(t, []string{
		"Secret/shop/web manifest [tls.crt] key leaf<inter",
		"manifest []", // the error
		"Secret/shop/bare manifest [tls.crt] key !corrupt",
		"Secret/shop/kafka manifest [keystore.p12 1] key verified leaf<inter",
		"ConfigMap/shop/trust manifest [ca.crt] trusted root",
	}, got)
}

func TestFound_CheckJudgesLifetimesAndWhatIsUnread(t *testing.T) {
	m := mint(t)
	status := func(opts certstore.Options, name string) map[string]holdfast.Status {
		out := map[string]holdfast.Status{}
		for f := range certstore.Read(t.Context(), tree(map[string][]byte{name: m.store[name]}), opts) {
			for _, finding := range f.Check(tlsprobe.Policy{}) {
				out[finding.Control+" "+finding.Subject] = finding.Status
			}
		}
		return out
	}
	require.Equal(t, map[string]holdfast.Status{
		"tls.lifetime chain.pem certificate 0": holdfast.Pass, "tls.lifetime chain.pem certificate 1": holdfast.Pass,
	}, status(options(), "chain.pem"))
	require.Equal(t, map[string]holdfast.Status{
		"certstore.integrity trust.jks": holdfast.Manual, "certstore.integrity trust.jks ca": holdfast.Manual, "tls.lifetime trust.jks ca certificate 0": holdfast.Pass,
	}, status(options(), "trust.jks"))
	require.Equal(t, map[string]holdfast.Status{
		"certstore.readable trust.jks": holdfast.Error, "tls.lifetime trust.jks ca certificate 0": holdfast.Pass,
	}, status(options(wrong), "trust.jks"))
	late := options()
	late.Now = func() time.Time { return now.AddDate(1, 0, 0) }
	require.Equal(t, map[string]holdfast.Status{
		"tls.expired leaf.der": holdfast.Fail, "tls.lifetime leaf.der certificate 0": holdfast.Fail,
	}, status(late, "leaf.der"))
}

// FuzzRead: no file panics, hangs or yields more than it holds.
func FuzzRead(f *testing.F) {
	m := mint(f)
	for _, data := range m.store {
		f.Add(data)
	}
	f.Add([]byte("apiVersion: v1\nkind: Config\nusers: [{name: a, user: {client-certificate: f, client-certificate-data: Cg==}}]\n---\napiVersion: v1\nkind: List\nitems: [{kind: ConfigMap, data: {a: \"\\napiVersion: v1\"}}]\n"))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		opts := options()
		opts.Globs = []string{"f"}
		n := 0
		for found := range certstore.Read(t.Context(), tree(map[string][]byte{"f": data}), opts) {
			for _, c := range found.Certificates {
				n += len(c.Raw)
			}
			require.True(t, found.Err != nil || len(found.Certificates) > 0 || len(found.Notes) > 0)
		}
		require.LessOrEqual(t, n, 40*len(data)+1)
	})
}
