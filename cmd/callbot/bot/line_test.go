package bot

import (
	"context"
	"fmt"
	"testing"

	"jedel/cmd/callbot/exchange"
	"jedel/cmd/callbot/watch"
)

// A request that is on its way when the load ends breaks with its line: that is no failure of the
// bot. The same break at any other time is.
func TestABotThatWasStoppedHasNotFailed(t *testing.T) {
	broken := fmt.Errorf("wrap up: %w", exchange.ErrBroken)
	for _, stopped := range []bool{true, false} {
		var ended watch.Ended
		l := &line{stop: func() {}, cfg: Config{See: func(e watch.Event) { ended = e.(watch.Ended) }}}
		ctx, cancel := context.WithCancel(t.Context())
		if stopped {
			cancel()
		}
		err := l.end(ctx, broken)
		cancel()
		if (err == nil) != stopped || (ended.Err == nil) != stopped {
			t.Errorf("stopped %v: returned %v, told %v", stopped, err, ended.Err)
		}
	}
}
