package message

import (
	"encoding/binary"
	"sync"
)

const (
	smallBuffer  = 512      // bytes; holds most requests, and all that rests
	pooledBuffer = 16 << 10 // bytes
	freeBuffer   = 64 << 10 // bytes; longer ones are accounted for
)

// Account has hold asked before the reader's buffer takes more than 64 KiB, and
// told when it takes less again, with the difference in bytes. If there is no room
// for more, hold returns false, and the message is refused with ErrNoRoom. Whoever
// gives up a reader knows from hold what its buffer took.
func (r *Reader) Account(hold func(more int) bool) { r.hold = hold }

// account asks for a buffer of that size.
func (r *Reader) account(size int) error {
	if size <= freeBuffer {
		size = 0
	}
	if size == r.held || r.hold == nil {
		return nil
	}
	if !r.hold(size - r.held) {
		return ErrNoRoom
	}
	r.held = size
	return nil
}

var buffers = sync.Pool{New: func() any { return new([pooledBuffer]byte) }}

// pass goes on by n bytes, which need not fit the buffer at once.
func (r *Reader) pass(n int64) error {
	if r.sent+int64(r.at)+n > r.most {
		return ErrTooLong
	}
	for {
		here := min(n, int64(r.end-r.at))
		r.at += int(here)
		if n -= here; n == 0 {
			return nil
		}
		if err := r.room(1); err != nil {
			return err
		}
		if err := r.fill(n); err != nil {
			return err
		}
	}
}

// need makes sure that the next n bytes, which are few, are in the buffer.
func (r *Reader) need(n int) error {
	if r.sent+int64(r.at+n) > r.most {
		return ErrTooLong
	}
	for r.end-r.at < n {
		if err := r.room(n); err != nil {
			return err
		}
		if err := r.fill(int64(n)); err != nil {
			return err
		}
	}
	return nil
}

// room makes room for n more bytes behind at: what was understood goes to the
// sink, or the buffer grows.
func (r *Reader) room(n int) error {
	if r.at+n <= len(r.buf) {
		return nil
	}
	if r.sink != nil && r.at >= r.mark {
		return r.send()
	}
	size := max(int(min(2*int64(len(r.buf)), r.most)), r.at+n)
	if err := r.account(size); err != nil {
		return err
	}
	r.move(r.buf[:r.end], size)
	return nil
}

// move makes a buffer of at least that size the reader's, with what is held in
// it.
func (r *Reader) move(held []byte, size int) {
	var pooled *[pooledBuffer]byte
	to := r.small[:]
	switch {
	case size > pooledBuffer:
		to = make([]byte, size)
	case size > smallBuffer:
		pooled = buffers.Get().(*[pooledBuffer]byte)
		to = pooled[:]
	}
	r.end = copy(to, held)
	if r.pooled != nil {
		buffers.Put(r.pooled)
	}
	r.buf, r.pooled = to, pooled
}

// send sends what was understood to the sink.
func (r *Reader) send() error {
	head := r.header
	if r.sent > 0 {
		head.Name = nil
	} else {
		head.Name = nameIn(r.buf[:r.at])
	}
	if err := r.sink(&head, r.buf[:r.at]); err != nil {
		return err
	}
	r.sent += int64(r.at)
	r.end = copy(r.buf, r.buf[r.at:r.end])
	r.at = 0
	return nil
}

// nameIn returns the name in a message's beginning, which readHeader has read.
func nameIn(head []byte) []byte {
	n := int32(binary.BigEndian.Uint32(head))
	if n >= 0 {
		return head[4 : 4+n]
	}
	return head[8 : 8+binary.BigEndian.Uint32(head[4:])]
}

// fill reads what is there: of what comes after the next n bytes, which may be
// other messages, no more than a pooled buffer holds.
func (r *Reader) fill(n int64) error {
	end := min(int64(len(r.buf)), int64(r.at)+n+pooledBuffer)
	got, err := r.src.Read(r.buf[r.end:end])
	r.end += got
	if got > 0 {
		return nil // an error comes again
	}
	return err
}

// forget makes room for the next message, whose beginning may be here already. A
// large buffer is not kept for it.
func (r *Reader) forget() {
	rest := r.buf[r.at:r.end]
	r.at = 0
	if len(r.buf) > pooledBuffer || len(r.buf) > smallBuffer && len(rest) <= smallBuffer {
		r.account(0) // which is not refused; the rest is short
		r.move(rest, len(rest))
		return
	}
	r.end = copy(r.buf, rest)
}
