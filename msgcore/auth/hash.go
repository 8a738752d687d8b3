package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// A hash is one of a password.
type hash struct {
	bcrypt string // or else Argon2id:

	time, memory uint32 // passes, KiB
	threads      uint8
	salt, sum    []byte
}

// Format keeps hashes out of whatever is printed.
func (*hash) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "auth.hash(hidden)") }

// What a file may ask for, so that one line of it does not stop a server.
const (
	maxCost    = 16      // of bcrypt: seconds
	maxTime    = 64      // of Argon2id
	maxMemory  = 1 << 20 // KiB
	maxThreads = 64
	maxSalt    = 64 // bytes
	maxSum     = 64

	bcryptPassword = 72 // more is ignored by bcrypt
)

// hashing bounds how many passwords are hashed at once in this process: each takes
// a processor, and Argon2id much memory, while whoever connects decides how many.
var hashing = make(chan struct{}, runtime.NumCPU())

// HashPassword returns a hash of password for a file of users: Argon2id with 19
// MiB and two passes, and 16 random bytes of salt. It takes some 20 ms, in which no
// more passwords are hashed than there are processors.
func HashPassword(password []byte) (string, error) {
	h := &hash{time: 2, memory: 19 << 10, threads: 1, salt: make([]byte, 16), sum: make([]byte, 32)}
	if _, err := io.ReadFull(rand.Reader, h.salt); err != nil {
		return "", fmt.Errorf("auth: no random salt: %w", err)
	}
	hashing <- struct{}{}
	copy(h.sum, h.argon2(password))
	<-hashing
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads, b64(h.salt), b64(h.sum)), nil
}

func (h *hash) argon2(password []byte) []byte {
	return argon2.IDKey(password, h.salt, h.time, h.memory, h.threads, uint32(len(h.sum)))
}

// matches reports whether password is the one of h. It waits for its turn; the
// error is that of ctx.
func (h *hash) matches(ctx context.Context, password []byte) (bool, error) {
	select {
	case hashing <- struct{}{}:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	defer func() { <-hashing }()
	if ctx.Err() != nil { // it is too late: do not work for nobody
		return false, context.Cause(ctx)
	}
	if h.bcrypt != "" {
		short := password[:min(len(password), bcryptPassword)]
		return bcrypt.CompareHashAndPassword([]byte(h.bcrypt), short) == nil && len(password) <= bcryptPassword, nil
	}
	return subtle.ConstantTimeCompare(h.argon2(password), h.sum) == 1, nil
}

// decoy returns a hash that takes as long as those of known, and that nothing
// matches for all anybody knows.
func decoy(known map[string]*hash) *hash {
	for _, h := range known {
		return h // whoever asks does not look at the result
	}
	return &hash{time: 2, memory: 19 << 10, threads: 1, salt: make([]byte, 16), sum: make([]byte, 32)}
}

var errHash = errors.New("its hash is neither one of bcrypt, such as $2b$12$..., nor one of Argon2id, such as $argon2id$v=19$m=19456,t=2,p=1$... (see Options.Passwords)")

// parseHash reads a hash. Errors quote nothing of it.
func parseHash(s string) (*hash, error) {
	if strings.HasPrefix(s, "$argon2id$") {
		return parseArgon2(s)
	}
	cost, err := bcrypt.Cost([]byte(s))
	if err != nil || len(s) != 60 || strings.ContainsFunc(s[7:], notBcryptDigit) {
		return nil, errHash
	}
	if cost > maxCost {
		return nil, fmt.Errorf("its hash takes too long: a cost of %d, the limit is %d", cost, maxCost)
	}
	return &hash{bcrypt: s}, nil
}

func notBcryptDigit(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '/')
}

func parseArgon2(s string) (*hash, error) {
	parts := strings.Split(s, "$") // "", "argon2id", "v=19", "m=,t=,p=", salt, sum
	if len(parts) != 6 || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return nil, errHash
	}
	var numbers [3]uint64
	params := strings.Split(parts[3], ",")
	if len(params) != len(numbers) {
		return nil, errHash
	}
	for i, name := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(params[i], name)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil {
			return nil, errHash
		}
		numbers[i] = n
	}
	m, t, p := numbers[0], numbers[1], numbers[2]
	switch {
	case t < 1 || p < 1 || m < 8*p:
		return nil, errHash
	case m > maxMemory || t > maxTime || p > maxThreads || m*t > 4*maxMemory:
		return nil, fmt.Errorf("its hash takes too much: m=%d,t=%d,p=%d, the limits are m=%d,t=%d,p=%d, and %d for m*t", m, t, p, maxMemory, maxTime, maxThreads, 4*maxMemory)
	}
	h := &hash{time: uint32(t), memory: uint32(m), threads: uint8(p)}
	var err, serr error
	h.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.sum, serr = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err != nil || serr != nil || len(h.salt) < 8 || len(h.salt) > maxSalt || len(h.sum) < 16 || len(h.sum) > maxSum {
		return nil, errHash
	}
	return h, nil
}
