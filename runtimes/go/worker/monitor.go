package worker

import "time"

const (
	tick  = time.Millisecond
	quiet = 3 // ticks without a call after which the monitor rests
	slow  = 30 * time.Microsecond
	fast  = slow / 3
)

func (s *server) watch() {
	var seen, begun uint64
	for still := 0; ; {
		time.Sleep(tick)
		inside := s.inside.Load()
		if inside != 0 && inside == seen {
			s.relieve(inside)
			inside = 0
		}
		seen = inside
		if s.out.Ready() {
			s.out.Flush() // answers that wait for a batch's end
		}
		if now := s.begun.Load(); now != begun || inside != 0 {
			begun = now
			still = 0
			continue
		}
		if still++; still < quiet {
			continue
		}
		// The reader goes inside and then asks whether to wake us, this is the other way round: one of us sees the other.
		s.resting.Store(true)
		if s.inside.Load() == 0 {
			<-s.stir
		}
		s.resting.Store(false)
		still = 0
	}
}

func (s *server) wake() {
	select {
	case s.stir <- struct{}{}:
	default:
	}
}

// relieve lets another goroutine read on, if the reader is still inside the call of this number.
func (s *server) relieve(turn uint64) {
	if !s.inside.CompareAndSwap(turn, 0) {
		return
	}
	s.register(s.current) // before anybody reads what the loader says of it
	s.measure(tick)
	go s.read()
}

// measure decides whether calls get goroutines, which cost about a microsecond, more where they wake a thread.
func (s *server) measure(took time.Duration) {
	load := s.load.Load()
	load += (int64(took) - load) / 8
	s.load.Store(load)
	limit := slow
	if s.spread.Load() {
		limit = fast
	}
	if spread := load > int64(limit); spread != s.spread.Load() {
		s.spread.Store(spread)
	}
}
