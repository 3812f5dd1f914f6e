package turnd

import (
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLog gives the library's words to the process's logger, for debugging: it calls an error
// whatever a stranger sends, and what matters is counted.
type pionLog struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (l pionLog) NewLogger(string) logging.LeveledLogger { return l }

// Trace implements logging.LeveledLogger.
func (pionLog) Trace(string) {}

// Tracef implements logging.LeveledLogger.
func (pionLog) Tracef(string, ...any) {}

// Debug implements logging.LeveledLogger.
func (pionLog) Debug(string) {}

// Debugf implements logging.LeveledLogger.
func (pionLog) Debugf(string, ...any) {}

// Info implements logging.LeveledLogger.
func (pionLog) Info(string) {}

// Infof implements logging.LeveledLogger.
func (pionLog) Infof(string, ...any) {}

// Warn implements logging.LeveledLogger.
func (l pionLog) Warn(msg string) { l.log.Debug("relay", "pion", msg) }

// Warnf implements logging.LeveledLogger.
func (l pionLog) Warnf(form string, a ...any) { l.log.Debug("relay", "pion", fmt.Sprintf(form, a...)) }

// Error implements logging.LeveledLogger.
func (l pionLog) Error(msg string) { l.log.Debug("relay", "pion", msg) }

// Errorf implements logging.LeveledLogger.
func (l pionLog) Errorf(form string, a ...any) { l.log.Debug("relay", "pion", fmt.Sprintf(form, a...)) }
