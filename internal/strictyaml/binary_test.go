package strictyaml_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/strictyaml"
)

func TestDecode_Binary(t *testing.T) {
	type step struct {
		Send string `yaml:"send,binary"`
		Name string `yaml:"name"`
	}
	decode := func(in string) (step, error) {
		var s step
		_, err := strictyaml.Decode("in", []byte(in), &s)
		return s, err
	}
	s, err := decode("send: !!binary |\n  AAAACA\n  TSFi8=\n")
	require.NoError(t, err)
	require.Equal(t, "\x00\x00\x00\x08\x04\xd2\x16\x2f", s.Send)
	s, err = decode("send: 12")
	require.NoError(t, err)
	require.Equal(t, "12", s.Send)

	for in, want := range map[string]string{
		"send: !!binary '?'":         "want base64 behind !!binary",
		"send: !!str text":           "tags are not allowed",
		"name: !!binary QQ==":        "tags are not allowed",
		"send: !!binary [QQ==]":      "",
		"send: null":                 "want text",
		"!!binary send: QQ==":        "tags are not allowed",
		"send: !!binary {a: QQ==}":   "",
		"send: !local AAAACATSFi8=":  "tags are not allowed",
		"send: [!!binary AAAACATS=]": "want text",
	} {
		_, err := decode(in)
		require.ErrorContains(t, err, want, in)
	}
	var list struct {
		Sends []string `yaml:"sends,binary"`
	}
	_, err = strictyaml.Decode("in", []byte("sends: []"), &list)
	require.ErrorContains(t, err, "the option binary is for text")
}
