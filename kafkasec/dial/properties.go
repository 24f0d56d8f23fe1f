package dial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/properties"
)

// ParseOptions are what reading a properties file may need from outside.
type ParseOptions struct {
	// ReadFile reads the stores that the file names. Nil means os.ReadFile;
	// relative names are relative to the working directory, as in Java.
	ReadFile func(name string) ([]byte, error)
	// Resolve answers references to Kafka's config providers (KIP-297): it gets
	// "file:/run/secrets/kafka.properties:password" for
	// ${file:/run/secrets/kafka.properties:password}. Nil refuses them: nothing
	// is run or read on a file's say-so.
	Resolve func(ctx context.Context, ref string) (holdfast.Secret, error)
}

// ParseProperties reads the configuration of a Java client: what
// kafka-topics.sh takes with --command-config. Source names it in errors.
//
// The error is a [holdfast.Problems] with all problems and their lines; no value
// that may be a secret is in it. What has no effect here is in Config.Ignored.
// The context is for ParseOptions.Resolve.
func ParseProperties(ctx context.Context, source string, data []byte, opts ParseOptions) (Config, error) {
	file, err := properties.Parse(data)
	if err != nil {
		return Config{}, withSource(source, err)
	}
	if opts.ReadFile == nil {
		opts.ReadFile = os.ReadFile
	}
	p := &parser{source: source, opts: opts, values: map[string]value{}}
	p.take(ctx, file.Entries)
	p.brokers()
	p.protocol()
	if p.cfg.Protocol.tls() {
		p.cfg.TLS = p.tls(p.lookup, "")
	}
	if p.cfg.Protocol.sasl() {
		p.sasl()
	}
	p.general()
	p.leftovers(file.Entries)
	if err := p.problems.Err(); err != nil {
		p.problems.Sort()
		return Config{}, p.problems
	}
	return p.cfg, nil
}

// value is one setting as Java's ConfigDef would see it. Its text may be a
// secret; only [parser.quoted] may put it into a message.
type value struct {
	text string
	line int
	// resolved: a part of it came from ParseOptions.Resolve.
	resolved bool
	used     bool
}

type parser struct {
	source   string
	opts     ParseOptions
	values   map[string]value
	cfg      Config
	problems holdfast.Problems
}

func (p *parser) problem(key, format string, args ...any) {
	p.problems = append(p.problems, holdfast.Problem{
		Source: p.source, Line: p.values[key].line, Path: key, Message: fmt.Sprintf(format, args...),
	})
}

// ignore lists an option inside of a value; whole keys are listed by leftovers.
func (p *parser) ignore(key string, security bool, format string, args ...any) {
	p.cfg.Ignored = append(p.cfg.Ignored, Ignored{
		Key: key, Line: p.values[key].line, Reason: fmt.Sprintf(format, args...), Security: security,
	})
}

// take stores the values, the last of a key winning as in Java, trimmed as
// ConfigDef.parseType does, passwords included, and with references resolved.
func (p *parser) take(ctx context.Context, entries []properties.Entry) {
	for _, e := range entries {
		p.values[e.Key] = value{text: javaTrim(e.Value), line: e.Line}
	}
	for _, e := range entries {
		v := p.values[e.Key]
		if v.line != e.Line {
			reason := fmt.Sprintf("line %d sets it again, and the last one counts", v.line)
			p.cfg.Ignored = append(p.cfg.Ignored, Ignored{Key: shownKey(e.Key), Line: e.Line, Reason: reason, Security: isSecurity(e.Key)})
			continue
		}
		if concerns(e.Key) {
			p.values[e.Key] = p.resolve(ctx, e.Key, v)
		}
	}
}

// get gives a value that is set and not empty, and counts it as honoured.
func (p *parser) get(key string) (string, bool) {
	v, ok := p.lookup(key)
	return v, ok && v != ""
}

// lookup is get for keys whose empty value means something.
func (p *parser) lookup(key string) (string, bool) {
	v, ok := p.values[key]
	if ok {
		v.used = true
		p.values[key] = v
	}
	return v.text, ok
}

// shown quotes a value for a message. Only for keys whose values are words of
// Kafka's.
func (p *parser) shown(key string) string { return p.quoted(key, p.values[key].text) }

// quoted is shown for a part of a value. What came from a secret store is not
// shown, whatever it is.
func (p *parser) quoted(key, part string) string {
	if p.values[key].resolved {
		return "the value that the reference resolves to"
	}
	const limit = 60
	if len(part) > limit {
		return fmt.Sprintf("%.*q…", limit, part)
	}
	return fmt.Sprintf("%q", part)
}

func (p *parser) brokers() {
	const key = "bootstrap.servers"
	list, ok := p.get(key)
	if !ok {
		return
	}
	for _, b := range splitList(list) {
		addr, msg := brokerAddr(b)
		if msg != "" {
			if p.values[key].resolved {
				msg = "the reference does not resolve to host:port"
			}
			p.problem(key, "%s", msg)
			continue
		}
		p.cfg.Brokers = append(p.cfg.Brokers, addr)
	}
}

func (p *parser) protocol() {
	const key = "security.protocol"
	p.cfg.Protocol = Plaintext
	v, ok := p.lookup(key)
	if !ok {
		return
	}
	// CommonClientConfigs validates it without regard to case.
	p.cfg.Protocol = Protocol(strings.ToUpper(v))
	if !slices.Contains([]Protocol{Plaintext, SSL, SASLPlaintext, SASLSSL}, p.cfg.Protocol) {
		p.problem(key, "%s; allowed: %s", p.shown(key), allowedProtocols)
	}
}

func (p *parser) general() {
	if id, ok := p.get("client.id"); ok {
		p.cfg.ClientID = id
		if len(id) > 256 {
			p.problem("client.id", "%d bytes; allowed: up to 256", len(id))
		}
	}
	const key = "request.timeout.ms"
	if v, ok := p.get(key); ok {
		ms, err := strconv.ParseInt(v, 10, 32)
		switch {
		case err != nil:
			p.problem(key, "%s is not a whole number of milliseconds", p.shown(key))
		case ms < 100 || ms > 900_000:
			p.problem(key, "%s; allowed: 100 to 900000", p.shown(key))
		default:
			p.cfg.RequestTimeout = time.Duration(ms) * time.Millisecond
		}
	}
}

// leftovers lists every key that nothing asked for.
func (p *parser) leftovers(entries []properties.Entry) {
	for _, e := range entries {
		v := p.values[e.Key]
		if v.line != e.Line || v.used {
			continue
		}
		reason := unused(e.Key, p.cfg)
		p.cfg.Ignored = append(p.cfg.Ignored, Ignored{Key: shownKey(e.Key), Line: e.Line, Reason: reason, Security: isSecurity(e.Key)})
	}
	slices.SortStableFunc(p.cfg.Ignored, func(a, b Ignored) int { return a.Line - b.Line })
}

// flag reads a boolean as ConfigDef does.
func (p *parser) flag(key string) bool {
	v, ok := p.get(key)
	if ok && !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
		p.problem(key, "%s; allowed: true, false", p.shown(key))
	}
	return strings.EqualFold(v, "true")
}

func splitList(s string) []string {
	var list []string
	for _, item := range strings.Split(s, ",") {
		if item = javaTrim(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// javaTrim is java.lang.String.trim: everything up to U+0020 at both ends.
func javaTrim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

// withSource names the file in problems that do not know it.
func withSource(source string, err error) error {
	var ps holdfast.Problems
	if !errors.As(err, &ps) {
		return err
	}
	ps = slices.Clone(ps)
	for i := range ps {
		ps[i].Source = source
	}
	return ps
}
