package zmtp

import "errors"

var errEarly = errors.New("zmtp: Config.Early is for a peer that is known: not with a Mechanism other than NULL, Accepting, Authorize or a MinVersion before 3.0")

// mayBeEarly makes the mechanism leave out the READY that appendEarly sends.
func (h *handshaker) mayBeEarly() error {
	n, plain := h.cfg.Mechanism.(null)
	if !plain || n.waits || h.cfg.Authorize != nil || h.speaksOld() {
		return errEarly
	}
	n.early = true
	h.cfg.Mechanism = n
	return nil
}

// appendEarly appends to the greeting what goes out with it.
func (h *handshaker) appendEarly(b []byte) []byte {
	if len(h.cfg.Early) == 0 {
		return b
	}
	b = AppendCommand(b, CommandReady, AppendProperties(nil, h.cfg.Properties))
	for _, message := range h.cfg.Early {
		for i, body := range message {
			f := Frame{More: i < len(message)-1, Body: body}
			b = AppendHeader(b, f.flags(), len(body))
			b = append(b, body...)
		}
	}
	return b
}
