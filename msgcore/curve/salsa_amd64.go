//go:build amd64 && !purego

package curve

// lanes are the words of the states of 16 blocks in which they differ: those of
// the nonce and of the block's number, low words first.
type lanes struct{ nonce0, nonce1, block0, block1 [16]uint32 }

// blocks16 writes groups of 16 blocks to dst, and blocks8 groups of 8, from the
// first 8 lanes. Each further group has block numbers that are higher by so many.
//
//go:noescape
func blocks16(dst *byte, groups int, key *[32]byte, l *lanes)

//go:noescape
func blocks8(dst *byte, groups int, key *[32]byte, l *lanes)

// heads writes the first blocks of count messages from number on.
func heads(dst *[headCount]head, key *[32]byte, number uint64) (count int) {
	w := width()
	if w == narrow {
		return genericHeads(dst, key, number)
	}
	var l lanes
	for i := range headCount {
		n := swapped(number + uint64(i))
		for j := range headBlocks {
			at := i*headBlocks + j
			l.nonce0[at], l.nonce1[at], l.block0[at] = uint32(n), uint32(n>>32), uint32(j)
		}
	}
	if w == wider {
		blocks16(&dst[0][0], 1, key, &l)
		return headCount
	}
	blocks8(&dst[0][0], 1, key, &l)
	copy(l.nonce0[:8], l.nonce0[8:])
	copy(l.nonce1[:8], l.nonce1[8:])
	for at := range 8 {
		l.block0[at] = uint32(at % headBlocks)
	}
	blocks8(&dst[headCount/2][0], 1, key, &l)
	return headCount
}

// tail writes the blocks of a message from block on, as many as there is room for
// in dst, whose length is a multiple of tailUnit.
func tail(dst []byte, key *[32]byte, number, block uint64) {
	w := width()
	if w == narrow {
		genericTail(dst, key, number, block)
		return
	}
	var l lanes
	n := swapped(number)
	for i := range l.block0 {
		l.nonce0[i], l.nonce1[i] = uint32(n), uint32(n>>32)
		l.block0[i], l.block1[i] = uint32(block+uint64(i)), uint32((block+uint64(i))>>32)
	}
	if pairs := len(dst) / (2 * tailUnit); w == wider && pairs > 0 {
		blocks16(&dst[0], pairs, key, &l)
		dst = dst[2*tailUnit*pairs:]
		for i := range 8 {
			l.block0[i] += uint32(16 * pairs)
		}
	}
	if len(dst) > 0 {
		blocks8(&dst[0], len(dst)/tailUnit, key, &l)
	}
}
