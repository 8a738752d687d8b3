package curve

import (
	"errors"
	"fmt"
	"strings"
)

// The limits of a file in ZPL that is read.
const (
	maxZPL   = 64 << 10 // bytes
	maxDepth = 8        // levels
)

// A zplNode is a property of ZPL (RFC 4): a name with a value, children, or both.
type zplNode struct {
	name, value string
	children    []*zplNode
}

// get returns the value of the first child at path, or "".
func (n *zplNode) get(path ...string) string {
	for _, name := range path {
		if n = n.child(name); n == nil {
			return ""
		}
	}
	return n.value
}

func (n *zplNode) child(name string) *zplNode {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// parseZPL reads ZPL as CZMQ does: four spaces of indentation a level, values bare
// or between quotes, comments after "#". It returns a root without a name. Errors
// tell the line and quote nothing of it, which may be a secret.
func parseZPL(text string) (*zplNode, error) {
	if len(text) > maxZPL {
		return nil, fmt.Errorf("curve: text of %d bytes is no key file: the limit is %d", len(text), maxZPL)
	}
	levels := []*zplNode{{}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		n, level, err := parseZPLLine(line)
		if err == nil && n != nil && level >= len(levels) {
			err = errors.New("is deeper than one level below the line before it")
		}
		if err == nil && level > maxDepth {
			err = fmt.Errorf("is deeper than %d levels", maxDepth)
		}
		if err != nil {
			return nil, fmt.Errorf("curve: line %d of a key file %w", number, err)
		}
		if n == nil {
			continue
		}
		parent := levels[level]
		parent.children = append(parent.children, n)
		levels = append(levels[:level+1], n)
	}
	return levels[0], nil
}

// parseZPLLine returns nil for a line that says nothing.
func parseZPLLine(line string) (n *zplNode, level int, err error) {
	rest := strings.TrimLeft(line, " ")
	spaces := len(line) - len(rest)
	if strings.Trim(rest, " \t") == "" || rest[0] == '#' {
		return nil, 0, nil
	}
	if spaces%4 != 0 || rest[0] == '\t' {
		return nil, 0, errors.New("is not indented by a multiple of 4 spaces")
	}
	end := strings.IndexFunc(rest, notNameRune)
	if end < 0 {
		end = len(rest)
	}
	n = &zplNode{name: rest[:end]}
	if n.name == "" {
		return nil, 0, errors.New("does not begin with a name")
	}
	rest = strings.TrimLeft(rest[end:], " \t")
	if value, ok := strings.CutPrefix(rest, "="); ok {
		n.value, rest, err = parseZPLValue(strings.TrimLeft(value, " \t"))
		if err != nil {
			return nil, 0, err
		}
	}
	if rest = strings.TrimLeft(rest, " \t"); rest != "" && rest[0] != '#' {
		return nil, 0, errors.New("has something behind its name or its value: put a value that has spaces between quotes")
	}
	return n, spaces / 4, nil
}

func parseZPLValue(s string) (value, rest string, err error) {
	if s == "" {
		return "", "", nil
	}
	if quote := s[0]; quote == '"' || quote == '\'' {
		end := strings.IndexByte(s[1:], quote)
		if end < 0 {
			return "", "", errors.New("lacks the quote at the end of its value")
		}
		return s[1 : 1+end], s[2+end:], nil
	}
	// A bare value goes on to the end or a comment, spaces within included.
	bare, comment := s, ""
	if at := strings.IndexByte(s, '#'); at >= 0 {
		bare, comment = s[:at], s[at:]
	}
	return strings.TrimRight(bare, " \t"), comment, nil
}

// notNameRune tells what may not be in a name (RFC 4: letters, digits, $-_@.&+/).
func notNameRune(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("$-_@.&+/", r))
}

// text returns the children of n in ZPL.
func (n *zplNode) text() (string, error) {
	var b strings.Builder
	err := n.appendTo(&b, 0)
	return b.String(), err
}

// appendTo writes the children of n at the given level.
func (n *zplNode) appendTo(b *strings.Builder, level int) error {
	for _, c := range n.children {
		if c.name == "" || strings.ContainsFunc(c.name, notNameRune) {
			return fmt.Errorf("curve: name %q in a key file: letters, digits and $-_@.&+/ are allowed", c.name)
		}
		b.WriteString(strings.Repeat("    ", level) + c.name)
		if c.value != "" {
			quote := `"`
			if strings.Contains(c.value, quote) {
				quote = "'"
			}
			if strings.ContainsAny(c.value, quote+"\r\n\x00") {
				return fmt.Errorf("curve: value of %q in a key file: it cannot have line ends, zero bytes, or both kinds of quotes", c.name)
			}
			b.WriteString(" = " + quote + c.value + quote)
		}
		b.WriteByte('\n')
		if err := c.appendTo(b, level+1); err != nil {
			return err
		}
	}
	return nil
}
