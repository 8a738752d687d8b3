package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The chart's measures, in pixels.
const (
	chartWidth = 900
	labelWidth = 190
	numberRoom = 60
	barHeight  = 13
	groupHead  = 20
	chartTop   = 64
)

// colours are by library; SoloMQ's ways are shades of one colour.
var colours = map[string]string{
	"solomq": "#1f5fa8", "unique": "#1f5fa8",
	"pebbe": "#b0803c", "go-zeromq": "#5a9e6f", "nats": "#8d6bb0", "gapplication": "#a05050",
}

// chart draws the ratios to the reference as bars on a logarithmic scale. To the
// right is better, whatever the unit.
func (r *report) chart() string {
	groups := r.chartGroups()
	low, high := 0.1, 10.0
	height := chartTop + 30
	for _, g := range groups {
		height += groupHead + len(g.bars)*barHeight
		for _, b := range g.bars {
			low, high = min(low, b.ratio), max(high, b.ratio)
		}
	}
	low, high = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
	x := func(ratio float64) float64 {
		part := math.Log(ratio/low) / math.Log(high/low)
		return labelWidth + part*(chartWidth-labelWidth-numberRoom)
	}

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n", chartWidth, height, chartWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", chartWidth, height)
	text := func(x, y float64, attributes, s string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" %s>%s</text>`+"\n", x, y, attributes, html.EscapeString(s))
	}
	text(10, 20, `font-size="15" font-weight="bold"`, "How many times better than libzmq")
	text(10, 37, `fill="#555555"`, fmt.Sprintf("median of %d rounds, logarithmic scale; throughput, or the inverse of time and memory", r.Rounds))
	text(10, 52, `fill="#555555"`, r.Machine.String())

	for v := low; v <= high*1.001; v *= 10 {
		stroke := "#dddddd"
		if math.Abs(v-1) < 1e-9 {
			stroke = "#333333"
		}
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s"/>`+"\n", x(v), chartTop, x(v), height-22, stroke)
		text(x(v), float64(height-8), `text-anchor="middle" fill="#555555"`, digitsShort(v)+"x")
	}
	y := float64(chartTop)
	for _, g := range groups {
		text(10, y+14, `font-weight="bold"`, g.title)
		y += groupHead
		for _, bar := range g.bars {
			from, to := x(min(1, bar.ratio)), x(max(1, bar.ratio))
			text(labelWidth-6, y+10, `text-anchor="end" fill="#333333"`, bar.label)
			fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="%s" fill-opacity="%.2f"/>`+"\n",
				from, y+1, max(to-from, 1), barHeight-2, bar.colour, bar.opacity)
			text(x(max(1, bar.ratio))+4, y+10, `fill="#333333"`, digits(bar.ratio)+"x")
			y += barHeight
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func digitsShort(v float64) string { return fmt.Sprintf("%g", math.Round(v*1e6)/1e6) }

type chartGroup struct {
	title string
	bars  []chartBar
}

type chartBar struct {
	label, colour string
	opacity       float64
	ratio         float64
}

// chartGroups returns the works that the chart shows: all if there are few, else
// the gist of them.
func (r *report) chartGroups() (groups []chartGroup) {
	for _, c := range r.cells {
		if len(r.cells) > 14 && !c.work.quick && c.work.n < 100 {
			continue
		}
		ref := c.of(reference)
		if ref == nil {
			continue
		}
		g := chartGroup{title: c.work.String()}
		shade := 1.0
		for i, x := range c.contenders {
			q := ratios(c.results[i], ref, value)
			if x.lib.name == reference || x.lib.yardstick || q.N == 0 {
				continue
			}
			bar := chartBar{label: x.String(), colour: colours[x.lib.name], opacity: 1, ratio: q.Median}
			if c.work.mode.unit.lower {
				bar.ratio = 1 / bar.ratio
			}
			if x.lib.ours {
				bar.opacity = shade
				shade = max(shade-0.2, 0.4)
			}
			g.bars = append(g.bars, bar)
		}
		if len(g.bars) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}
