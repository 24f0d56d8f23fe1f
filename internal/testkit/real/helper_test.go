package real_test

import (
	"github.com/stretchr/testify/assert"

	"github.com/holdfast-sec/holdfast"
)

// assertT is what EventuallyWithT hands in.
type assertT = assert.CollectT

func secret(s string) holdfast.Secret { return holdfast.NewSecret(s) }
