package tipline

import (
	"crypto/rand"
	"net/http"
	"strings"

	"jedel/internal/fault"
	"jedel/internal/tips"
	"jedel/internal/tipstore"
	"jedel/recorder/keys"
)

// duty are the routes of units.
type duty struct{ *Line }

// question asks a unit to prove that it holds its key. Nothing is remembered of it.
func (l duty) question(w http.ResponseWriter, r *http.Request) error {
	u, err := l.unit(r)
	if err != nil {
		return err
	}
	if err := l.take(&l.asked); err != nil {
		return err
	}
	var salt [16]byte
	rand.Read(salt[:])
	q := tips.Ask(l.secret, u.Key, l.now().Add(tips.DutyTime), salt)
	sealed, err := keys.Seal([]byte(q.Text()), u.Recipients)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, map[string]any{"sealed": sealed})
}

// scheme begins the value of Authorization; the answer follows.
const scheme = "Tips "

// onDuty lets a unit in that has read a question of the last minutes.
func (l duty) onDuty(fn func(http.ResponseWriter, *http.Request, Unit) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		u, err := l.unit(r)
		if err != nil {
			return err
		}
		proof, ok := strings.CutPrefix(r.Header.Get("Authorization"), scheme)
		if !ok || !tips.CheckAnswer(l.secret, u.Key, l.now(), proof) {
			return fault.New(fault.NotSignedIn, "tips.unit", nil)
		}
		return fn(w, r, u)
	}
}

func (l duty) list(w http.ResponseWriter, r *http.Request, u Unit) error {
	list, err := l.store.ForUnit(r.Context(), u.Key)
	if err != nil {
		return err
	}
	out := []entryView{}
	for _, e := range list {
		out = append(out, entryView{e.ID.String(), e.Box.String(), e.Day.String(), e.Bytes})
	}
	return answer(w, http.StatusOK, map[string]any{"letters": out})
}

func (l duty) letter(w http.ResponseWriter, r *http.Request, u Unit) error {
	_, t, err := l.get(r, u.owns)
	if err != nil {
		return err
	}
	return hand(w, t)
}

func (u Unit) owns(t tipstore.Letter) bool { return !t.Reply && t.Unit == u.Key }

func (l duty) prune(w http.ResponseWriter, r *http.Request, u Unit) error {
	id, _, err := l.get(r, u.owns)
	if err != nil {
		return err
	}
	return l.drop(w, r, id)
}

// answer puts a reply, sealed to the one identity of a citizen's code, into a mailbox of the unit's.
func (l duty) answer(w http.ResponseWriter, r *http.Request, u Unit) error {
	box, err := tips.ParseMailbox(r.PathValue("mailbox"))
	if err != nil {
		return fault.New(fault.NoSuchMailbox, "tips.answer", nil)
	}
	unit, _, err := l.store.Replies(r.Context(), box)
	if err != nil {
		return err
	}
	if unit != u.Key {
		return fault.New(fault.NoSuchMailbox, "tips.answer", nil)
	}
	sealed, class, err := l.body(w, r, 1)
	if err != nil {
		return err
	}
	return l.keep(w, r, class, tipstore.Letter{Unit: u.Key, Box: box, Reply: true, Sealed: sealed})
}
