package config

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

var keyShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// Bounds of the wait before a deletion is approved. Below 72 h the gateway starts in a demo only.
const (
	minWait = time.Second
	maxWait = 365 * 24 * time.Hour
)

// check refuses classes that would keep something by accident: a misspelt category would silently
// get the default class, and a class named twice the later period.
func (r Retention) check(known []Choice) []error {
	var errs []error
	complain := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("retention.classes: "+format, args...))
	}
	classes, owner := map[string]bool{}, map[string]string{}
	for _, c := range r.Classes {
		if !keyShape.MatchString(c.Key) {
			complain("%q is not a key of a-z, 0-9 and _", c.Key)
		}
		if classes[c.Key] {
			complain("%q is there twice", c.Key)
		}
		classes[c.Key] = true
		if c.Words.KK == "" || c.Words.RU == "" || c.Words.EN == "" {
			complain("%q needs words in kk, ru and en", c.Key)
		}
		if c.Segments != "" && c.Segments != SegmentsKeep && c.Segments != SegmentsDelete {
			complain("segments of %q: %q is neither keep nor delete", c.Key, c.Segments)
		}
		for _, category := range c.Categories {
			if !slices.ContainsFunc(known, func(k Choice) bool { return k.Key == category }) {
				complain("category %q of %q is not one of desk.categories", category, c.Key)
			}
			if other, twice := owner[category]; twice {
				complain("category %q is in %q and in %q", category, other, c.Key)
			}
			owner[category] = c.Key
		}
	}
	if r.Wait < minWait || r.Wait > maxWait {
		errs = append(errs, fmt.Errorf("retention.wait: %v is not within %v and %v", r.Wait, minWait, maxWait))
	}
	if err := r.Policy().Check(); err != nil {
		errs = append(errs, fmt.Errorf("retention.default or retention.classes: %w", err))
	}
	return errs
}
