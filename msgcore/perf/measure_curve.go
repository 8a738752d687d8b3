package main

import (
	"strings"
	"sync"

	"github.com/solomq/solomq/msgcore/curve"
)

// curveKeys are the keys of the two sides, made for this run: public and secret
// key of the one that is bound, and of the one that connects.
var curveKeys = sync.OnceValues(func() (string, error) {
	var keys []string
	for range 2 {
		public, secret, err := curve.GenerateKey()
		if err != nil {
			return "", err
		}
		keys = append(keys, public.String(), secret.Z85())
	}
	return strings.Join(keys, ","), nil
})
