package dial

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

// reference is ConfigTransformer.DEFAULT_PATTERN: ${provider:[path:]key}.
var reference = regexp.MustCompile(`\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`)

// usualProviders are the names under which people register the providers that
// come with Kafka. A reference to one of them that no config.providers declares
// would reach the broker as it stands, as the password.
var usualProviders = []string{"file", "env", "directory", "dir", "secret", "secrets", "vault"}

// resolve replaces references, textually and before anything else looks at the
// value, as AbstractConfig does.
func (p *parser) resolve(ctx context.Context, key string, v value) value {
	declared := splitList(p.values["config.providers"].text)
	var out strings.Builder
	rest := 0
	for _, at := range reference.FindAllStringSubmatchIndex(v.text, -1) {
		provider := v.text[at[2]:at[3]]
		known := slices.Contains(declared, provider)
		if !known && !slices.Contains(usualProviders, provider) {
			continue // nothing that Kafka would replace
		}
		// The name of the provider is one of the known words; path and key are not
		// secrets, but neither are they needed to find the line.
		switch {
		case p.opts.Resolve == nil && known:
			p.problem(key, "has a ${%s:…} reference, and config providers are not run here; write the value, or resolve it before (ParseOptions.Resolve)", provider)
		case p.opts.Resolve == nil:
			p.problem(key, "has a ${%s:…} reference, but no config.providers declares %q; write the value, or resolve it before (ParseOptions.Resolve)", provider, provider)
		default:
			secret, err := p.opts.Resolve(ctx, v.text[at[0]+2:at[1]-1])
			if err != nil {
				p.problem(key, "resolve the ${%s:…} reference: %v", provider, err)
				continue
			}
			out.WriteString(v.text[rest:at[0]])
			out.WriteString(secret.Reveal())
			rest, v.resolved = at[1], true
		}
	}
	if v.resolved {
		v.text = javaTrim(out.String() + v.text[rest:])
	}
	return v
}
