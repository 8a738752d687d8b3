//go:build !amd64 || purego

package curve

func heads(dst *[headCount]head, key *[32]byte, number uint64) (count int) {
	return genericHeads(dst, key, number)
}

func tail(dst []byte, key *[32]byte, number, block uint64) { genericTail(dst, key, number, block) }
