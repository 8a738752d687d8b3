package main

import (
	"errors"
	"strings"
	"time"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

// options are those that the flags ask for, of the side that is bound or of the
// one that connects; nil if they ask for nothing.
func options(a *bench.Args, bound bool) (*msgcore.Options, error) {
	keys, spin := a.Flag("curve", ""), a.Flag("spin", "")
	if keys == "" && spin == "" {
		return nil, nil
	}
	o := &msgcore.Options{}
	if spin != "" {
		d, err := time.ParseDuration(spin)
		if err != nil {
			return nil, err
		}
		o.Spin = d
	}
	if keys == "" {
		return o, nil
	}
	k := strings.Split(keys, ",")
	if len(k) != 4 {
		return nil, errors.New("-curve wants four keys: public and secret of the bound side, and of the other")
	}
	serverSecret, err := curve.ParseSecretKey(k[1])
	if err != nil {
		return nil, err
	}
	clientSecret, err := curve.ParseSecretKey(k[3])
	if err != nil {
		return nil, err
	}
	o.Mechanism = curve.Client(clientSecret, serverSecret.Public())
	if bound {
		o.Mechanism = curve.Server(serverSecret)
	}
	return o, nil
}
