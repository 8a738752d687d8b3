package main

import (
	"encoding/json"
	"math"
)

type jsonReport struct {
	Machine  machine    `json:"machine"`
	Rounds   int        `json:"rounds"`
	Seconds  float64    `json:"secondsCounted"`
	Took     float64    `json:"secondsInAll"`
	Missing  []string   `json:"missing,omitempty"`
	Notes    []string   `json:"notes,omitempty"`
	Works    []jsonWork `json:"works"`
	Verdicts []verdict  `json:"targets"`
}

type jsonWork struct {
	Name       string          `json:"name"`
	Mode       string          `json:"mode"`
	Transport  string          `json:"transport"`
	Size       int             `json:"size,omitempty"`
	N          int             `json:"n,omitempty"`
	Place      string          `json:"place,omitempty"`
	AtOnce     bool            `json:"atOnce,omitempty"`
	NoneDrops  bool            `json:"noneDropped,omitempty"`
	Unit       string          `json:"unit"`
	Lower      bool            `json:"lowerIsBetter,omitempty"`
	Contenders []jsonContender `json:"contenders"`
}

type jsonContender struct {
	Name      string               `json:"name"`
	Yardstick bool                 `json:"yardstick,omitempty"` // no competitor, but what the machine takes
	Values    []*float64           `json:"values"`              // one for each round, null where it failed
	Median    float64              `json:"median"`
	CPU       []*float64           `json:"cpuMicroseconds,omitempty"` // for each message
	Ratio     *summary             `json:"ratio,omitempty"`           // to the reference
	CPURatio  *summary             `json:"cpuRatio,omitempty"`
	Extra     []map[string]float64 `json:"extra,omitempty"`
	Failures  []string             `json:"failures,omitempty"`
}

func (r *report) json() ([]byte, error) {
	out := jsonReport{
		Machine: r.Machine, Rounds: r.Rounds, Seconds: r.Time.Seconds(), Took: r.Took.Seconds(),
		Missing: r.Missing, Notes: r.Notes, Verdicts: verdicts(r.cells),
	}
	for _, c := range r.cells {
		w := c.work
		jw := jsonWork{
			Name: w.String(), Mode: w.mode.name, Transport: w.transport, Size: w.size, N: w.n,
			Place: w.place.String(), AtOnce: w.busy, NoneDrops: w.waits, Unit: w.mode.unit.name, Lower: w.mode.unit.lower,
		}
		ref := c.of(reference)
		for i, x := range c.contenders {
			s := c.results[i]
			jc := jsonContender{
				Name: x.String(), Yardstick: x.lib.yardstick, Values: numbersOrNull(s.values(value)), Median: summarize(s.values(value)).Median,
				CPU: numbersOrNull(s.values(cpu)), Failures: s.failures,
			}
			for _, one := range s.samples {
				if one != nil {
					jc.Extra = append(jc.Extra, one.extra)
				}
			}
			if ref != nil {
				of, ofCPU := ratios(s, ref, value), ratios(s, ref, cpu)
				if of.N > 0 {
					jc.Ratio = &of
				}
				if ofCPU.N > 0 && ofCPU.Median > 0 {
					jc.CPURatio = &ofCPU
				}
			}
			jw.Contenders = append(jw.Contenders, jc)
		}
		out.Works = append(out.Works, jw)
	}
	b, err := json.MarshalIndent(out, "", "\t")
	return append(b, '\n'), err
}

// numbersOrNull is for JSON, which has no NaN.
func numbersOrNull(values []float64) []*float64 {
	all := make([]*float64, len(values))
	for i, v := range values {
		if !math.IsNaN(v) {
			all[i] = &v
		}
	}
	return all
}
