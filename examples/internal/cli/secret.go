package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/holdfast-sec/holdfast"
)

// ResolveSecret answers a reference to a secret, as it stands between the braces
// of ${…} in a Java properties file: env:NAME is an environment variable,
// file:PATH the content of a file, and directory:DIR:NAME that of one in a
// directory of secrets, as Kafka's DirectoryConfigProvider has it. The newline
// that most tools leave at the end of such a file is not part of the secret.
func ResolveSecret(_ context.Context, ref string) (holdfast.Secret, error) {
	provider, rest, _ := strings.Cut(ref, ":")
	switch provider {
	case "env":
		// EnvVarConfigProvider ignores the path of ${env:path:NAME}.
		name := rest[strings.LastIndexByte(rest, ':')+1:]
		value, ok := os.LookupEnv(name)
		if !ok {
			return holdfast.Secret{}, fmt.Errorf("the environment variable %s is not set", name)
		}
		return holdfast.NewSecret(value), nil
	case "file":
		if strings.Contains(rest, ":") {
			return holdfast.Secret{}, errors.New("a key in a properties file is not looked up; allowed are env:NAME, file:PATH and directory:DIR:NAME")
		}
		return secretFile(rest)
	case "directory", "dir":
		dir, name, ok := strings.Cut(rest, ":")
		if !ok || name == "" || name != filepath.Base(name) || name == ".." {
			return holdfast.Secret{}, errors.New("allowed is directory:DIR:NAME, where NAME is a file in DIR")
		}
		return secretFile(filepath.Join(dir, name))
	}
	return holdfast.Secret{}, fmt.Errorf("unknown provider %q; allowed are env:NAME, file:PATH and directory:DIR:NAME", provider)
}

func secretFile(path string) (holdfast.Secret, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return holdfast.Secret{}, err
	}
	return holdfast.NewSecret(strings.TrimRight(string(data), "\r\n")), nil
}
