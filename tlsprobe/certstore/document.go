package certstore

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/strictyaml"
)

// header is what one has to know of an object to decide whether it may hold
// certificates. Whatever may be null in an object that the API took is a pointer.
type header struct {
	Kind     *string                 `yaml:"kind,literal"`
	Metadata *metadata               `yaml:"metadata"`
	Unknown  []strictyaml.UnknownKey `yaml:",unknown"`
}

type metadata struct {
	Namespace *string                 `yaml:"namespace,literal"`
	Name      *string                 `yaml:"name,literal"`
	Unknown   []strictyaml.UnknownKey `yaml:",unknown"`
}

// secretObject is a Secret or a ConfigMap. Values of another type than text, which
// the API server would refuse, hold no certificate.
type secretObject struct {
	Type       *string                 `yaml:"type,literal"`
	Data       *map[string]any         `yaml:"data"`
	StringData *map[string]any         `yaml:"stringData"`
	BinaryData *map[string]any         `yaml:"binaryData"`
	Unknown    []strictyaml.UnknownKey `yaml:",unknown"`
}

// The three places of a caBundle (admissionregistration.k8s.io/v1,
// apiregistration.k8s.io/v1, apiextensions.k8s.io/v1).
type webhookObject struct {
	Webhooks *[]struct {
		Name         *string                 `yaml:"name,literal"`
		ClientConfig *clientConfig           `yaml:"clientConfig"`
		Unknown      []strictyaml.UnknownKey `yaml:",unknown"`
	} `yaml:"webhooks"`
	Unknown []strictyaml.UnknownKey `yaml:",unknown"`
}

type clientConfig struct {
	CABundle *string                 `yaml:"caBundle,literal"`
	Unknown  []strictyaml.UnknownKey `yaml:",unknown"`
}

type serviceObject struct {
	Spec    *clientConfig           `yaml:"spec"`
	Unknown []strictyaml.UnknownKey `yaml:",unknown"`
}

type crdObject struct {
	Spec *struct {
		Conversion *struct {
			Webhook *struct {
				ClientConfig *clientConfig           `yaml:"clientConfig"`
				Unknown      []strictyaml.UnknownKey `yaml:",unknown"`
			} `yaml:"webhook"`
			Unknown []strictyaml.UnknownKey `yaml:",unknown"`
		} `yaml:"conversion"`
		Unknown []strictyaml.UnknownKey `yaml:",unknown"`
	} `yaml:"spec"`
	Unknown []strictyaml.UnknownKey `yaml:",unknown"`
}

// documents finds what is in the objects of a file, which may be several.
func (r *reader) documents(at place, data []byte) []Found {
	var all []Found
	for i, doc := range splitDocuments(data) {
		if len(bytes.TrimSpace(doc)) == 0 {
			continue
		}
		if len(all) > 0 && r.ctx.Err() != nil {
			return all
		}
		all = append(all, r.document(at, fmt.Sprintf("document %d", i+1), doc)...)
	}
	return all
}

// splitDocuments cuts a YAML stream at its markers. What begins with three dashes
// at the start of a line and goes on with a space or ends is a marker wherever it
// stands (YAML 1.2.2 §9.1.4), so that a PEM block in a text is none.
func splitDocuments(data []byte) [][]byte {
	var docs [][]byte
	start := 0
	for pos := 0; pos < len(data); {
		end := len(data)
		if i := bytes.IndexByte(data[pos:], '\n'); i >= 0 {
			end = pos + i + 1
		}
		line := data[pos:end]
		if bytes.HasPrefix(line, []byte("---")) && (len(line) == 3 || bytes.IndexByte([]byte(" \t\r\n"), line[3]) >= 0) {
			docs = append(docs, data[start:pos])
			start = pos + 3
		}
		pos = end
	}
	return append(docs, data[start:])
}

func (r *reader) document(at place, nth string, doc []byte) []Found {
	var h header
	if err := decode(doc, &h); err != nil {
		if !at.asked && at.depth == 0 && !bytes.Contains(doc, []byte("ertificate")) && !bytes.Contains(doc, []byte("caBundle")) {
			return nil // a template, most often, and nothing in it for us
		}
		return []Found{r.wrong(at.in(Manifest, nth, Listed), err)}
	}
	kind, meta := of(h.Kind), of(h.Metadata)
	switch kind {
	case "Config":
		return r.kubeconfig(at, doc)
	case "List", "SecretList", "ConfigMapList", "ValidatingWebhookConfigurationList", "MutatingWebhookConfigurationList", "APIServiceList",
		"CustomResourceDefinitionList":
		return r.items(at, doc)
	}
	name := kind + "/" + of(meta.Name)
	if namespace := of(meta.Namespace); namespace != "" {
		name = kind + "/" + namespace + "/" + of(meta.Name)
	}
	return r.object(at, kind, name, doc)
}

// items are the objects of a list. Each is decoded by itself, since a list may
// hold anything.
func (r *reader) items(at place, doc []byte) []Found {
	var list struct {
		Items   *[]any                  `yaml:"items"`
		Unknown []strictyaml.UnknownKey `yaml:",unknown"`
	}
	if err := decode(doc, &list); err != nil {
		return []Found{r.wrong(at.in(Manifest, "items", Listed), err)}
	}
	var all []Found
	for i, item := range of(list.Items) {
		data, err := encodeJSON(item)
		if err != nil {
			all = append(all, r.wrong(at.in(Manifest, fmt.Sprintf("items[%d]", i), Listed), err))
			continue
		}
		all = append(all, r.document(at, fmt.Sprintf("items[%d]", i), data)...)
	}
	return all
}

func (r *reader) object(at place, kind, name string, doc []byte) []Found {
	var err error
	var all []Found
	add := func(field string, config *clientConfig) {
		if bundle := of(of(config).CABundle); bundle != "" {
			all = append(all, r.encoded(at.in(Manifest, name+" "+field, Trusted), bundle)...)
		}
	}
	switch kind {
	case "Secret", "": // k3s keeps one without a kind
		var o secretObject
		if err = decode(doc, &o); err == nil {
			all = append(r.values(at, name, of(o.Type), of(o.Data), true), r.values(at, name, of(o.Type), of(o.StringData), false)...)
		}
	case "ConfigMap":
		var o secretObject
		if err = decode(doc, &o); err == nil {
			all = append(r.values(at, name, "", of(o.Data), false), r.values(at, name, "", of(o.BinaryData), true)...)
		}
	case "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration":
		var o webhookObject
		err = decode(doc, &o)
		for i, hook := range of(o.Webhooks) {
			field := fmt.Sprintf("webhooks[%d]", i)
			if hook.Name != nil {
				field = "webhooks[" + *hook.Name + "]"
			}
			add(field+".clientConfig.caBundle", hook.ClientConfig)
		}
	case "APIService":
		var o serviceObject
		err = decode(doc, &o)
		add("spec.caBundle", o.Spec)
	case "CustomResourceDefinition":
		var o crdObject
		err = decode(doc, &o)
		add("spec.conversion.webhook.clientConfig.caBundle", o.Spec.Conversion.Webhook.ClientConfig)
	}
	if err != nil {
		return []Found{r.wrong(at.in(Manifest, name, Listed), err)}
	}
	return all
}

// values are the entries of a Secret or a ConfigMap, most of which are something
// else and not worth a word.
func (r *reader) values(at place, name, secretType string, data map[string]any, encoded bool) []Found {
	var all []Found
	for _, key := range slices.Sorted(maps.Keys(data)) {
		text, ok := data[key].(string)
		if !ok {
			continue
		}
		inner, value := at.in(Manifest, name+" "+key, roleOf(key)), []byte(text)
		if encoded {
			var err error
			if value, err = decodeBase64(text); err != nil {
				if expected(secretType, key) {
					all = append(all, r.wrong(inner, err))
				}
				continue
			}
		}
		all = append(all, r.value(inner, secretType, key, value)...)
	}
	return all
}

func (r *reader) value(at place, secretType, key string, value []byte) []Found {
	if !expected(secretType, key) && sniff(value) == nothing {
		return nil
	}
	at.asked = expected(secretType, key)
	return r.content(at, value)
}

// expected is whether the API wants a certificate there
// (k8s.io/api/core/v1.SecretTypeTLS).
func expected(secretType, key string) bool {
	return secretType == "kubernetes.io/tls" && key == "tls.crt"
}

// roleOf goes by the keys that the API and cert-manager use.
func roleOf(key string) Role {
	switch key {
	case "tls.crt":
		return Key
	case "ca.crt", "ca-bundle.crt", "client-ca-file", "requestheader-client-ca-file":
		return Trusted
	}
	return Listed
}

// encoded is a field in base64 which is to hold certificates.
func (r *reader) encoded(at place, text string) []Found {
	data, err := decodeBase64(text)
	if err != nil {
		return []Found{r.wrong(at, err)}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		f := Found{Path: at.path, Format: at.format, Alias: at.alias, Role: at.role, At: r.at}
		f.Notes = []string{"a placeholder with no certificate in it"}
		return []Found{f}
	}
	return r.content(at, data)
}

// of is what a pointer points to, and the zero value where that is nothing.
func of[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

func decodeBase64(text string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields([]byte(text)), nil)))
	if err != nil {
		return nil, fmt.Errorf("%w: expected base64", ErrCorrupt)
	}
	return data, nil
}

// decode reads an object. Its error says where and not what: there are secrets in
// these documents.
func decode(doc []byte, v any) error {
	_, err := strictyaml.Decode("", doc, v)
	var problems holdfast.Problems
	switch {
	case errors.As(err, &problems) && len(problems) > 0:
		return fmt.Errorf("%w: the document cannot be read at its line %d", ErrUnsupported, problems[0].Line)
	case err != nil:
		return fmt.Errorf("%w: the document cannot be read", ErrUnsupported)
	}
	return nil
}
