package sos

import "time"

// gaps is how long to wait after each copy. A round trip of a second may lose every fifth copy or its answer: whoever doubles the
// wait from the beginning pays seconds for two of them in a row, and an open datagram has two round trips to pass. Five copies
// in two seconds are a fifth of a line of 20 kbit/s; a way that has brought none of them is full or dead, and is left more and more alone.
var gaps = [...]time.Duration{500 * time.Millisecond, 500 * time.Millisecond, 500 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 3 * time.Second}

// Gap is how long a datagram that was sent n times waits for its answer before it is sent once more. A challenge begins anew: what
// answers it is sent at once, as the first.
func Gap(n int) time.Duration { return gaps[min(max(n, 1), len(gaps))-1] }
