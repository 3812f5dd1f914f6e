package stats

import "time"

// Standing is what is open at the moment.
type Standing struct {
	Open       int       // cases
	Unanswered int       // reports without a reply beyond the receipt
	Oldest     time.Time // of them; zero where there are none
}

// Standing counts what is open. It remembers what has not changed since it was asked last and so
// belongs to whoever may Put.
func (t *Table) Standing() Standing {
	var out Standing
	for n, ch := range t.chunks {
		if !ch.known {
			ch.standing, ch.known = ch.stand(min(chunkRows, t.rows-n*chunkRows)), true
		}
		s := ch.standing
		out.Open += s.Open
		out.Unanswered += s.Unanswered
		if out.Oldest.IsZero() || !s.Oldest.IsZero() && s.Oldest.Before(out.Oldest) {
			out.Oldest = s.Oldest
		}
	}
	return out
}

func (ch *chunk) stand(rows int) (s Standing) {
	oldest := uint32(never)
	for i := range rows {
		b := ch.marks[i]
		if b&(markFurther|markMerged) != 0 {
			continue
		}
		if b&markClosed == 0 {
			s.Open++
		}
		if b&markReport != 0 && ch.took[Reply][i] == never {
			s.Unanswered++
			oldest = min(oldest, ch.opened[i])
		}
	}
	if s.Unanswered > 0 {
		s.Oldest = time.Unix(int64(oldest), 0).UTC()
	}
	return s
}
