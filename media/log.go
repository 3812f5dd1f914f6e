package media

import (
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLog gives Pion's words to the process's logger. What Pion calls an error is mostly a peer
// that went away: the node reports what matters by itself, so all of it is for debugging.
type pionLog struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (l pionLog) NewLogger(scope string) logging.LeveledLogger {
	return pionScope{l.log.With("pion", scope)}
}

type pionScope struct{ log *slog.Logger }

func (pionScope) Trace(string)                   {}
func (pionScope) Tracef(string, ...any)          {}
func (pionScope) Debug(string)                   {}
func (pionScope) Debugf(string, ...any)          {}
func (pionScope) Info(string)                    {}
func (pionScope) Infof(string, ...any)           {}
func (s pionScope) Warn(msg string)              { s.log.Debug(msg) }
func (s pionScope) Warnf(form string, a ...any)  { s.log.Debug(fmt.Sprintf(form, a...)) }
func (s pionScope) Error(msg string)             { s.log.Debug(msg) }
func (s pionScope) Errorf(form string, a ...any) { s.log.Debug(fmt.Sprintf(form, a...)) }
