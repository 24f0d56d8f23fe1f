package jaas

import "strings"

// expand replaces ${name} as sun.security.util.PropertyExpander (JDK 17) does.
// Every property that lookup does not know is a problem.
//
//   - ${/} is the file separator; always that of Unix, where brokers run;
//   - ${{ up to }} stays, and without a }} the whole rest does;
//   - ${ without } stays;
//   - what lookup answers is not expanded again.
func expand(value string, lookup func(string) (string, bool)) (expanded string, problems []string) {
	var out strings.Builder
	rest := value
	for {
		at := strings.Index(rest, "${")
		if at < 0 {
			out.WriteString(rest)
			return out.String(), problems
		}
		out.WriteString(rest[:at])
		rest = rest[at:]
		if strings.HasPrefix(rest, "${{") {
			end := strings.Index(rest, "}}")
			if end < 0 {
				out.WriteString(rest)
				return out.String(), problems
			}
			out.WriteString(rest[:end+2])
			rest = rest[end+2:]
			continue
		}
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			out.WriteString(rest)
			return out.String(), problems
		}
		name := rest[2:end]
		rest = rest[end+1:]
		v, problem := property(name, lookup)
		if problem != "" {
			problems = append(problems, problem)
		}
		out.WriteString(v)
	}
}

func property(name string, lookup func(string) (string, bool)) (value, problem string) {
	switch name {
	case "/":
		return "/", ""
	case "":
		return "", "expected the name of a system property in ${}, found nothing"
	}
	if lookup != nil {
		if v, ok := lookup(name); ok {
			return v, ""
		}
	}
	// The name is not repeated: it may as well be a piece of a password.
	return "", "expected a system property in ${...}, found one that is not set; the JDK takes every ${...} in a file for one"
}
