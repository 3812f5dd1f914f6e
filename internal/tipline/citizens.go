package tipline

import (
	"net/http"

	"jedel/internal/fault"
	"jedel/internal/tips"
	"jedel/internal/tipstore"
)

// citizens are the routes of those who write. Nobody is told apart.
type citizens struct{ *Line }

func mailboxKey(r *http.Request) (tips.Key, error) {
	k, err := tips.ParseKey(r.Header.Get(headMailbox))
	if err != nil {
		return k, fault.New(fault.BadMessage, "tips.mailbox", nil)
	}
	return k, nil
}

// post takes a letter of a citizen: stamped, sealed to the unit, of a size of ours.
func (l citizens) post(w http.ResponseWriter, r *http.Request) error {
	const op = "tips.post"
	u, err := l.unit(r)
	if err != nil {
		return err
	}
	class, err := size(r, len(u.Recipients))
	if err != nil {
		return err
	}
	key, err := mailboxKey(r)
	if err != nil {
		return err
	}
	id, err := tips.ParseID(r.Header.Get(headLetter))
	if err != nil {
		return fault.New(fault.BadMessage, op, nil)
	}
	stamp, err := tips.ParseStamp(r.Header.Get(headStamp))
	if err != nil {
		return fault.New(fault.BadStamp, op, nil)
	}
	if work, ok := stamp.Check(l.secret, l.now(), key.Mailbox(), id); !ok || work < tips.Bits(l.cfg.StampBits, class) {
		return fault.New(fault.BadStamp, op, nil)
	}
	if err := l.take(&l.posts); err != nil {
		return err
	}
	if whose, _, err := l.store.Replies(r.Context(), key.Mailbox()); err != nil || whose != "" && whose != u.Key {
		if err == nil {
			err = fault.New(fault.BadValue, op, nil) // a mailbox is with one unit: another could not reply to it
		}
		return err
	}
	sealed, _, err := l.body(w, r, len(u.Recipients))
	if err != nil {
		return err
	}
	if tips.IDOf(sealed) != id {
		return fault.New(fault.BadMessage, op, nil)
	}
	return l.keep(w, r, class, tipstore.Letter{Unit: u.Key, Box: key.Mailbox(), Sealed: sealed})
}

// replies lists what lies in the mailbox of whoever shows its key.
func (l citizens) replies(w http.ResponseWriter, r *http.Request) error {
	key, err := mailboxKey(r)
	if err != nil {
		return err
	}
	if err := l.take(&l.reads); err != nil {
		return err
	}
	unit, list, err := l.store.Replies(r.Context(), key.Mailbox())
	if err != nil {
		return err
	}
	if unit == "" {
		return fault.New(fault.NoSuchMailbox, "tips.mailbox", nil)
	}
	out := []entryView{}
	for _, e := range list {
		out = append(out, entryView{Letter: e.ID.String(), Day: e.Day.String(), Bytes: e.Bytes})
	}
	return answer(w, http.StatusOK, map[string]any{"unit": unit, "replies": out})
}

// mine returns a reply in the mailbox of whoever shows its key.
func (l citizens) mine(r *http.Request) (tips.ID, tipstore.Letter, error) {
	key, err := mailboxKey(r)
	if err != nil {
		return tips.ID{}, tipstore.Letter{}, err
	}
	if err := l.take(&l.reads); err != nil {
		return tips.ID{}, tipstore.Letter{}, err
	}
	return l.get(r, func(t tipstore.Letter) bool { return t.Reply && t.Box == key.Mailbox() })
}

func (l citizens) reply(w http.ResponseWriter, r *http.Request) error {
	_, t, err := l.mine(r)
	if err != nil {
		return err
	}
	return hand(w, t)
}

func (l citizens) dropReply(w http.ResponseWriter, r *http.Request) error {
	id, _, err := l.mine(r)
	if err != nil {
		return err
	}
	return l.drop(w, r, id)
}
